/** Told to every client when it begins: how to work here. Models read it, and pay for each word. */
export const INSTRUCTIONS = `Ganglion connects a fleet of agents: a log of signals, queues of tasks, rules, and a list of what needs somebody.

How to work:
1. Look first: what_needs_attention, then fleet_status. read_signals and explain say why something happened.
2. One task at a time: take_task with your own name as recipient. Nothing there? Wait with wait_ms instead of asking again and again.
3. Extend while you work: extend_lease well before lease_expires_at, with a sentence of progress. If it says lease-lost, stop: another worker may have the task.
4. Finish with evidence: finish_task with the result, and with what shows that it is done. If you cannot do it, fail it and say why.
5. Give ids: an id for a signal, a task_id for a task, a correlation_id for a question. Sending the same again is harmless then.

A refusal is a result with isError whose text is problem details: detail says what to do, errors points at arguments.`;
