import * as z from "zod";
import type { Budget } from "../billing/budget.ts";
import type { AgentView } from "../hosts/api.ts";
import type { Gap } from "../introspection/api.ts";
import type { QueueStatus } from "../queue/api.ts";
import { type AttentionItem, SEVERITIES } from "./api.ts";

/** What the objects of an ecosystem say of themselves. */
export interface EcosystemState {
  readonly ecosystem: string;
  readonly agents: readonly AgentView[];
  /** Open gaps. */
  readonly gaps: readonly Gap[];
  /** Ids of rules that are not evaluated any more. */
  readonly quarantined: readonly string[];
  readonly queues: readonly Pick<QueueStatus, "queue" | "alerts">[];
  readonly deadLetters: number;
  /** Forwarded signals that wait, by the ecosystem to which they go. */
  readonly forwardsWaiting: Readonly<Record<string, number>>;
  readonly budget: Budget;
}

/** A gap with this score, or a higher one, is a warning. */
const PRESSING_SCORE = 0.5;
/** Fewer forwarded signals than this are on their way at any time. */
const FEW_WAITING = 100;

/** What needs somebody, most urgent first; of the same severity what has stood longest. */
export function attentionItems(state: EcosystemState): AttentionItem[] {
  const { ecosystem } = state;
  return [
    ...state.agents.flatMap(hostItems),
    ...state.gaps.map(gapItem),
    ...state.quarantined.map(quarantineItem),
    ...state.queues.flatMap(queueItems),
    ...deadLetterItems(state.deadLetters),
    ...Object.entries(state.forwardsWaiting).flatMap(waitingItems),
    ...budgetItems(state.budget),
  ]
    .map((item) => ({ ...item, ecosystem }))
    .sort(byUrgency);
}

/** The order of items, also of several ecosystems. */
export function byUrgency(a: AttentionItem, b: AttentionItem): number {
  const severity = SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);
  if (severity !== 0) return severity;
  // What is not known to have begun comes behind all that is.
  const [since, other] = [a.since ?? "~", b.since ?? "~"];
  if (since !== other) return since < other ? -1 : 1;
  const [name, otherName] = [`${a.ecosystem} ${a.id}`, `${b.ecosystem} ${b.id}`];
  return name < otherName ? -1 : name === otherName ? 0 : 1;
}

type Item = Omit<AttentionItem, "ecosystem">;

function hostItems({ host, state, since, reason, alerts, runs }: AgentView): Item[] {
  const down: Item = {
    id: `host_down/${host}`,
    kind: "host_down",
    severity: "critical",
    subject: host,
    why: reason === "silent" ? "the host is linked and does not answer" : "the host has lost its link",
    since,
    next_step: `ganglion agents ${host}`,
    effects: ["its signals wait on its disk, and its tasks go to others or wait"],
  };
  const raised = alerts.map(
    (alert): Item => ({
      id: `host_alert/${host}/${alert.subject}`,
      kind: "host_alert",
      severity: "warning",
      subject: host,
      why: `${alert.subject} is at ${alert.value}, above ${alert.limit}`,
      since: alert.since,
      next_step: `ganglion agents ${host}`,
      effects: [],
    }),
  );
  return [...(state === "down" ? [down] : []), ...raised, ...givenUpItems(host, runs)];
}

/** What a host says of the agents that it supervises, in the status that it reports. */
const Runs = z.object({ agents: z.array(z.looseObject({ name: z.string(), state: z.string() })) });

function givenUpItems(host: string, runs: AgentView["runs"]): Item[] {
  const given = (Runs.safeParse(runs).data?.agents ?? []).filter(({ state }) => state === "gave_up");
  return given.map(({ name }) => ({
    id: `agent_given_up/${host}/${name}`,
    kind: "agent_given_up",
    severity: "critical",
    subject: `${name} on ${host}`,
    why: "the supervised agent failed several times in a row, and is not restarted any more",
    since: null,
    next_step: `ganglion logs ${name} --host ${host}`,
    effects: ["the agent does no work until it is started: ganglion start"],
  }));
}

const gapItem = ({ name, category, reason, alignment_score, raised_at, fingerprint }: Gap): Item => ({
  id: `gap/${fingerprint}`,
  kind: "gap",
  severity: alignment_score >= PRESSING_SCORE ? "warning" : "info",
  subject: name,
  why: `${category}: ${reason}`,
  since: raised_at,
  next_step: "ganglion gaps",
  effects: [],
});

const quarantineItem = (rule: string): Item => ({
  id: `rule_quarantined/${rule}`,
  kind: "rule_quarantined",
  severity: "critical",
  subject: rule,
  why: "the rule took too many steps on a signal",
  since: null,
  next_step: `ganglion policy show ${rule}`,
  effects: ["the rule is not evaluated until it is edited"],
});

const queueItems = ({ queue, alerts }: EcosystemState["queues"][number]): Item[] =>
  alerts.map(({ rule, subject, raised_at }) => ({
    id: `queue_alert/${queue}/${rule}/${subject}`,
    kind: "queue_alert",
    severity: "warning",
    subject: queue,
    why: `the threshold ${rule} was passed (${subject})`,
    since: raised_at,
    next_step: `ganglion bottlenecks ${queue}`,
    effects: [],
  }));

const deadLetterItems = (count: number): Item[] =>
  count === 0
    ? []
    : [
        {
          id: "dead_letters",
          kind: "dead_letters",
          severity: "warning",
          subject: `${count} dead ${count === 1 ? "letter" : "letters"}`,
          why: "what they hold could not be processed",
          since: null,
          next_step: "ganglion dlq list",
          effects: ["their effects are missing until they are replayed"],
        },
      ];

const waitingItems = ([to, waiting]: [string, number]): Item[] =>
  waiting < FEW_WAITING
    ? []
    : [
        {
          id: `forwards_waiting/${to}`,
          kind: "forwards_waiting",
          severity: "warning",
          subject: to,
          why: `${waiting} forwarded signals wait for the ecosystem ${to}`,
          since: null,
          next_step: "ganglion bridges",
          effects: ["they arrive late"],
        },
      ];

function budgetItems({ state, monthly_usd, spent_usd, month, observations }: Budget): Item[] {
  if (monthly_usd === null || state === "none" || state === "within") return [];
  const exceeded = state === "exceeded";
  const share = Math.floor((spent_usd / monthly_usd) * 100);
  return [
    {
      id: `budget/${month}`,
      kind: "budget",
      severity: exceeded ? "critical" : "warning",
      subject: month,
      why: `$${spent_usd.toFixed(2)} of the month's $${monthly_usd} are spent (${share} %)`,
      since: null,
      next_step: "ganglion usage",
      effects: exceeded
        ? [`one of ${observations.taken_one_of} observations is taken, ${observations.left_out} were left out`]
        : ["above the budget observations are sampled"],
    },
  ];
}
