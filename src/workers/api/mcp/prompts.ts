/** Prompts that a person chooses in a client, such as a command of Claude Code. */
export const PROMPTS = [
  {
    name: "work",
    title: "Work on tasks",
    description: "Takes tasks of a queue one after the other, and finishes each with evidence",
    arguments: [
      { name: "queue", description: "Name of the queue", required: true },
      { name: "recipient", description: "Whose tasks: the name of the agent", required: true },
    ],
  },
];

/** The text of a prompt; `undefined`: there is no such prompt, or an argument is missing. */
export function promptText(name: string, args: Readonly<Record<string, string>> = {}): string | undefined {
  const { queue, recipient } = args;
  if (name !== "work" || queue === undefined || recipient === undefined) return undefined;
  return (
    `Work on the tasks of the queue ${JSON.stringify(queue)} as ${JSON.stringify(recipient)}. Look at what_needs_attention first. Then ` +
    "take one task with take_task (wait_ms 25000), do what its payload asks, extend its lease while you work, and end it with " +
    "finish_task and evidence. If you cannot do it, fail it and say why. Go on until no task comes."
  );
}
