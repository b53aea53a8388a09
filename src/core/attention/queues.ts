import type { DeadLetterDigest, DeadLetterSummary } from "../dead-letters/digest.ts";
import type { EcosystemState, QueueState } from "./ecosystem-state.ts";
import { webhookFailing } from "./edge.ts";
import { type Finding, look } from "./finding.ts";
import { type Absences, hostDown } from "./hosts.ts";
import { unjudgedFindings } from "./unjudged.ts";

type Alert = QueueState["alerts"][number];

/** Which alert of a queue speaks for the others, the first that is raised. */
const RULES: Readonly<
  Record<string, { readonly rank: number; readonly matter: string; readonly consequence: string }>
> = {
  p95_slow: { rank: 0, matter: "tasks run long", consequence: "what waits behind them comes late" },
  task_slow: { rank: 1, matter: "a task runs long", consequence: "what waits behind it comes late" },
  queue_deep: {
    rank: 2,
    matter: "too many tasks wait",
    consequence: "they wait longer and longer, and the queue fills up",
  },
  tasks_failing: {
    rank: 3,
    matter: "tasks fail",
    consequence: "the work is not done, and each failure leaves a dead letter",
  },
};

/** A queue that is paused for longer needs somebody: whoever paused it may have forgotten that. */
const PAUSED_LONG_MS = 15 * 60_000;

/** Alerts, open breakers and a long pause of a queue. */
export function queueFindings(
  queue: QueueState,
  absences: Absences,
  { ecosystem, nowMs, queues }: Pick<EcosystemState, "ecosystem" | "nowMs" | "queues">,
): Finding[] {
  const path = `/queues/${encodeURIComponent(queue.queue)}`;
  const alerts = queue.alerts.toSorted((a, b) => rankOf(a) - rankOf(b) || (a.subject < b.subject ? -1 : 1));
  const explained = alerts.map((alert) => [alert, explanationOf(alert, queue, absences)] as const);
  const speaker = explained.find(([, own]) => own === undefined)?.[0];
  const raised = explained.map(([alert, own]): Finding => {
    const { rule, subject, raised_at } = alert;
    const { matter = `the threshold ${rule} was passed`, consequence = "its work comes late" } = RULES[rule] ?? {};
    const known = rule === "tasks_failing" ? deadLettersOf("task", queue.queue) : pausedId(queue.queue);
    const above = own ?? (speaker === undefined || speaker === alert ? undefined : idOf(queue.queue, speaker));
    return {
      id: idOf(queue.queue, alert),
      kind: "queue_alert",
      severity: "warning",
      subject: queue.queue,
      what: `${matter} in the queue ${queue.queue}${subject === "queue" ? "" : ` (${subject})`}`,
      why: `the threshold ${rule} was passed (${subject})`,
      since: raised_at,
      consequence,
      next_step: `ganglion bottlenecks --queue ${queue.queue}`,
      action: look(`Where the time of ${queue.queue} goes`, ecosystem, `${path}/bottlenecks`),
      chain: null,
      explainedBy: [known, ...(above === undefined ? [] : [above])],
    };
  });
  const open = queue.breakers.map(({ recipient, reason, since, next_probe_at }): Finding => {
    const absence = absences.ofRecipient(recipient);
    return {
      id: `breaker_open/${queue.queue}/${recipient}`,
      kind: "breaker_open",
      severity: "warning",
      subject: `${recipient} in ${queue.queue}`,
      what: `calls of ${recipient} in the queue ${queue.queue} are refused`,
      why: reason,
      since,
      consequence: `no call is let through until ${next_probe_at}, and then one to try`,
      next_step: `ganglion queue ${queue.queue}`,
      action: look(`Breakers of ${queue.queue}`, ecosystem, path),
      chain: null,
      explainedBy: absence === undefined ? [] : [absence],
    };
  });
  return [
    ...pauseFindings(queue, ecosystem, nowMs),
    ...raised,
    ...open,
    ...mailFindings(queue, absences, ecosystem),
    ...unplacedFindings(queue, absences, ecosystem, nowMs),
    ...unjudgedFindings(queue, queues, ecosystem, nowMs),
  ];
}

/** Messages that were not delivered, or not read, in the time that their senders gave them. */
function mailFindings({ queue, late_mail = [] }: QueueState, absences: Absences, ecosystem: string): Finding[] {
  return late_mail.map(({ recipient, undelivered, unread, since }): Finding => {
    const [count, what] = undelivered > 0 ? [undelivered, "delivered"] : [unread, "read"];
    const absence = absences.ofRecipient(recipient);
    return {
      id: `mail_late/${recipient}`,
      kind: "mail_late",
      severity: "warning",
      subject: recipient,
      what: `mail of ${recipient} is not ${what} in its time`,
      why: `${count === 1 ? "1 message was" : `${count} messages were`} not ${what} in the time that the sender gave`,
      since,
      consequence: "what they ask for is not done, and they expire",
      next_step: `ganglion mail list --to ${recipient}`,
      action: look(`Mail of ${recipient}`, ecosystem, `/mail?to=${encodeURIComponent(recipient)}`),
      chain: null,
      explainedBy: [pausedId(queue), ...(absence === undefined ? [] : [absence])],
    };
  });
}

/** A task that waits longer for a host that has what it needs does not wait for its turn alone. */
const UNPLACED_LONG_MS = 5 * 60_000;

/** Tasks that have long waited for a host that has what they need: by recipient, the one that waits longest. */
function unplacedFindings(queue: QueueState, absences: Absences, ecosystem: string, nowMs: number): Finding[] {
  const long = (queue.unplaced ?? []).filter(({ since }) => nowMs - Date.parse(since) >= UNPLACED_LONG_MS);
  const first = long.filter(({ recipient }, place) => long.findIndex((one) => one.recipient === recipient) === place);
  return first.map(({ recipient, task_id, why, since }): Finding => {
    const tasks = long.reduce((sum, one) => sum + (one.recipient === recipient ? one.tasks : 0), 0);
    const absence = absences.ofRecipient(recipient);
    return {
      id: `tasks_unplaced/${queue.queue}/${recipient}`,
      kind: "tasks_unplaced",
      severity: "warning",
      subject: `${recipient} in ${queue.queue}`,
      what: `no host has what tasks of ${recipient} in the queue ${queue.queue} need`,
      why,
      since,
      consequence: `${tasks === 1 ? "1 task waits" : `${tasks} tasks wait`}, and nobody is given any`,
      next_step: `ganglion tasks show ${task_id} --queue ${queue.queue}`,
      action: look(
        "Show the task",
        ecosystem,
        `/queues/${encodeURIComponent(queue.queue)}/tasks/${encodeURIComponent(task_id)}`,
      ),
      chain: null,
      explainedBy: [pausedId(queue.queue), ...(absence === undefined ? [] : [absence])],
    };
  });
}

const pausedId = (queue: string) => `queue_paused/${queue}`;

function pauseFindings({ queue, paused, by_recipient }: QueueState, ecosystem: string, nowMs: number): Finding[] {
  if (paused === undefined || paused === null || nowMs - Date.parse(paused.since) < PAUSED_LONG_MS) return [];
  const waiting = Object.values(by_recipient).reduce((sum, { queued }) => sum + queued, 0);
  const why = paused.reason === null ? "no reason was given" : paused.reason;
  return [
    {
      id: pausedId(queue),
      kind: "queue_paused",
      severity: "warning",
      subject: queue,
      what: `the queue ${queue} is paused`,
      why: `${paused.by} paused it: ${why}`,
      since: paused.since,
      consequence: `${waiting === 1 ? "1 task waits" : `${waiting} tasks wait`}, and nobody is given any`,
      next_step: `ganglion queue resume ${queue}`,
      action: look(`What waits in ${queue}`, ecosystem, `/queues/${encodeURIComponent(queue)}/tasks`),
      chain: null,
      explainedBy: [],
    },
  ];
}

const rankOf = ({ rule }: Alert) => RULES[rule]?.rank ?? Number.MAX_SAFE_INTEGER;
const idOf = (queue: string, { rule, subject }: Alert) => `queue_alert/${queue}/${rule}/${subject}`;

/** What keeps those from working to whom an alert goes back. */
function explanationOf({ subject }: Alert, { by_recipient }: QueueState, absences: Absences): string | undefined {
  if (subject !== "queue") return absences.ofRecipient(subject.split("/", 1)[0] ?? subject);
  const waited = Object.entries(by_recipient)
    .filter(([, { queued }]) => queued > 0)
    .sort(([a, { queued: first }], [b, { queued: second }]) => second - first || (a < b ? -1 : 1))
    .map(([recipient]) => recipient);
  return waited.length === 0 ? undefined : absences.ofRecipients(waited);
}

const ALL = "dead_letters";
const deadLettersOf = (kind: string, of: string) => `${ALL}/${kind}/${of}`;

/** Dead letters, put together by what failed where. */
export function deadLetterFindings(
  { open, newest }: DeadLetterSummary,
  absences: Absences,
  { ecosystem }: Pick<EcosystemState, "ecosystem">,
): Finding[] {
  const groups = new Map<string, DeadLetterDigest[]>();
  for (const one of newest) {
    const id = deadLettersOf(one.kind, placeOf(one));
    const group = groups.get(id) ?? [];
    groups.set(id, group);
    group.push(one);
  }
  const found = [...groups].map(([id, group]) => groupFinding(id, group, absences, ecosystem));
  const more = open - newest.length;
  if (more <= 0) return found;
  const [first] = found;
  return [
    ...found,
    {
      ...deadLetters(ALL, more, ecosystem),
      what: `${counted(more)}${first === undefined ? "" : " more"} could not be processed`,
      why: "what they hold could not be processed",
      explainedBy: first === undefined ? [] : [first.id],
    },
  ];
}

function groupFinding(id: string, group: readonly DeadLetterDigest[], absences: Absences, ecosystem: string): Finding {
  const [newest] = group;
  const since = group.map(({ firstFailedAt }) => firstFailedAt).sort()[0] ?? null;
  const of = newest === undefined ? "" : ` of ${whereWords(newest)}`;
  const causes = newest === undefined ? undefined : explanationsOf(newest, group, absences);
  return {
    ...deadLetters(id, group.length, ecosystem, newest),
    what: `${counted(group.length)}${of}`,
    why:
      newest === undefined
        ? "what they hold could not be processed"
        : `what they hold could not be processed: ${newest.error}`,
    since,
    chain: newest?.cause ?? null,
    explainedBy: causes ?? [],
  };
}

function explanationsOf(
  { kind, endpoint, host }: DeadLetterDigest,
  group: readonly DeadLetterDigest[],
  absences: Absences,
) {
  if (endpoint !== undefined) return [webhookFailing(endpoint)];
  if (host !== undefined) return [hostDown(host)];
  const recipients = group.flatMap(({ recipient }) => recipient ?? []);
  if (kind !== "task" || recipients.length === 0) return [];
  const absence = absences.ofRecipients(recipients);
  return absence === undefined ? [] : [absence];
}

function deadLetters(id: string, count: number, ecosystem: string, like?: DeadLetterDigest): Finding {
  return {
    id,
    kind: "dead_letters",
    severity: "warning",
    subject: counted(count),
    what: counted(count),
    why: "",
    since: null,
    consequence: "their effects are missing until they are replayed",
    next_step: "ganglion dlq list",
    action: {
      label: "Try which of them would be replayed",
      method: "POST",
      path: `/v1/${encodeURIComponent(ecosystem)}/dead-letters/replay`,
      body: { filter: like === undefined ? {} : { kind: like.kind, daemon: like.daemon }, dry_run: true },
    },
    chain: null,
    explainedBy: [],
  };
}

const counted = (count: number) => `${count} dead ${count === 1 ? "letter" : "letters"}`;

/** Where something failed: a queue, an endpoint, a host, or the component that gave up. */
const placeOf = ({ queue, endpoint, host, daemon }: DeadLetterDigest) => queue ?? endpoint ?? host ?? daemon;

function whereWords({ queue, endpoint, host, daemon }: DeadLetterDigest): string {
  if (queue !== undefined) return `the queue ${queue}`;
  if (endpoint !== undefined) return `the webhook ${endpoint}`;
  return host === undefined ? daemon : `the host ${host}`;
}
