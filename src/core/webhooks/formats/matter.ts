import type { Signal } from "../../signals/signal.ts";

export type Severity = "critical" | "error" | "warning" | "info";
export type State = "raised" | "resolved" | "event";

/** What a signal of the edge says, in words, and which matter it raises or resolves. */
export interface Matter {
  readonly title: string;
  readonly text?: string;
  readonly severity: Severity;
  readonly state: State;
  /** The same in the signal that raises the matter and in the one that resolves it; absent: the matter does not end. */
  readonly key?: string;
}

type Facts = Signal["facts"];

const MATTERS: Readonly<Record<string, (facts: Facts) => Matter>> = {
  CAPABILITY_GAP: (facts) => ({
    title: `Gap ${word(facts.gap_name)}`,
    severity:
      Number(facts.alignment_score) >= 0.9 ? "critical" : Number(facts.alignment_score) >= 0.7 ? "error" : "warning",
    state: "raised",
    key: `gap/${word(facts.gap_name)}`,
  }),
  CAPABILITY_GAP_RESOLVED: (facts) => ({
    title: `Resolved: gap ${word(facts.gap_name)}`,
    severity: "info",
    state: "resolved",
    key: `gap/${word(facts.gap_name)}`,
  }),
  Q_AGENT_DOWN: (facts) => ({
    title: `Host ${word(facts.host)} is down`,
    severity: "critical",
    state: "raised",
    key: `host/${word(facts.host)}`,
  }),
  Q_AGENT_UP: (facts) => ({
    title: `Host ${word(facts.host)} is up`,
    severity: "info",
    state: "resolved",
    key: `host/${word(facts.host)}`,
  }),
  Q_HEALTH_ALERT: (facts) => {
    const resolved = facts.state === "resolved";
    const about = [facts.kind, facts.subject]
      .map(word)
      .filter((part) => part !== "")
      .join(" ");
    return {
      title: `${resolved ? "Resolved: " : ""}${about} of host ${word(facts.host)}`,
      text: `${about} is at ${word(facts.value)}; the limit is ${word(facts.limit)}.`,
      severity: resolved ? "info" : "warning",
      state: resolved ? "resolved" : "raised",
      key: `health/${word(facts.host)}/${word(facts.kind)}/${word(facts.subject)}`,
    };
  },
  Q_QUEUE_ALERT: (facts) => {
    const resolved = facts.state === "resolved";
    return {
      title: `${resolved ? "Resolved: " : ""}queue ${word(facts.queue)}: ${word(facts.rule)}`,
      severity: resolved ? "info" : "warning",
      state: resolved ? "resolved" : "raised",
      key: `queue/${word(facts.queue)}/${word(facts.rule)}/${word(facts.subject)}`,
    };
  },
  Q_QUEUE_BREAKER: (facts) => {
    const closed = facts.state === "closed";
    return {
      title: `Breaker of ${word(facts.recipient)} is ${word(facts.state)}`,
      severity: closed ? "info" : "error",
      state: closed ? "resolved" : "raised",
      key: `breaker/${word(facts.queue)}/${word(facts.recipient)}`,
    };
  },
  Q_PROCESS_GAVE_UP: (facts) => ({
    title: `Agent ${word(facts.agent)} of host ${word(facts.host)} is not restarted any more`,
    severity: "error",
    state: "raised",
    key: `process/${word(facts.host)}/${word(facts.agent)}`,
  }),
  Q_DEAD_LETTERS_GROWING: (facts) => ({
    title: `${word(facts.open)} dead letters wait`,
    severity: "warning",
    state: "event",
  }),
  Q_SESSION_WAITING: (facts) => ({
    title: `${sessionName(facts)} waits for a person`,
    text: `${toolText(facts, "It asks for a permission to use")}Since ${word(facts.since)}${placeText(facts)}.`,
    severity: "warning",
    state: "raised",
    key: sessionKey(facts, "waiting"),
  }),
  Q_SESSION_FROZEN: (facts) => ({
    title: `${sessionName(facts)} shows no sign of life`,
    text: `${toolText(facts, "It was using")}Since ${word(facts.since)}${placeText(facts)}.`,
    severity: "error",
    state: "raised",
    key: sessionKey(facts, "frozen"),
  }),
  Q_SESSION_RESUMED: (facts) => {
    const waited = facts.was === "waiting" ? "waited for a person" : "showed no sign of life";
    return {
      title: `Resolved: ${sessionName(facts)} ${facts.verdict === "ended" ? "has ended" : "goes on"}`,
      text: `It ${waited} for ${word(facts.seconds)} s.`,
      severity: "info",
      state: "resolved",
      key: sessionKey(facts, facts.was === "waiting" ? "waiting" : "frozen"),
    };
  },
  Q_DREAM_TIMEOUT: () => ({ title: "A dream cycle did not end in time", severity: "warning", state: "event" }),
  Q_INVESTIGATION_TIMEOUT: (facts) => ({
    title: "A question was not answered in time",
    text: word(facts.question),
    severity: "warning",
    state: "event",
  }),
  Q_INTELLIGENCE_HEALTH: (facts) => ({
    title: "Requests to live hosts need somebody",
    text: `${word(facts.requests)} requests in five minutes: ${word(facts.timeouts)} timed out, ${word(facts.mismatches)} were mixed up.`,
    severity: Number(facts.critical) > 0 ? "critical" : "warning",
    state: "event",
  }),
  Q_ROLLOUT_ROLLED_BACK: () => ({ title: "Live discovery was rolled back", severity: "error", state: "event" }),
};

export const matterOf = ({ signal, facts }: Signal): Matter | undefined =>
  Object.hasOwn(MATTERS, signal) ? MATTERS[signal]?.(facts) : undefined;

const sessionName = (facts: Facts): string => `Session of ${word(facts.agent)}`;
const sessionKey = (facts: Facts, was: string): string => `session/${word(facts.agent)}/${word(facts.session)}/${was}`;
const toolText = ({ tool }: Facts, before: string): string => (word(tool) === "" ? "" : `${before} ${word(tool)}. `);
/** Where the session is to be found: its directory, else the task that it works on. */
const placeText = ({ directory, task }: Facts): string => {
  if (word(directory) !== "") return `, in ${word(directory)}`;
  return word(task) === "" ? "" : `, for the task ${word(task)}`;
};

const word = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value).slice(0, 200)
    : "";
