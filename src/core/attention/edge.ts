import { type Budget, WARNED_AT } from "../billing/budget.ts";
import type { Gap } from "../introspection/api.ts";
import type { LateExpectation } from "../policy/late-expectation.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import type { EcosystemState } from "./ecosystem-state.ts";
import { type Finding, look } from "./finding.ts";
import type { Absences } from "./hosts.ts";

/** A gap with this score, or a higher one, is a warning. */
const PRESSING_SCORE = 0.5;
/** Fewer forwarded signals than this are on their way at any time. */
const FEW_WAITING = 100;
/** A projection that is behind for longer, in milliseconds, will not catch up by itself soon. */
const LAGGING_MS = 60_000;
const VERY_LATE_MS = 600_000;

export const webhookFailing = (endpoint: string) => `webhook_failing/${endpoint}`;

/** What needs somebody at the edge itself: gaps, rules, scanners, webhooks, the log, the budget. */
export function edgeFindings(state: EcosystemState, absences: Absences): Finding[] {
  const { ecosystem } = state;
  return [
    ...state.gaps.map((gap) => gapFinding(gap, absences, ecosystem)),
    ...state.quarantined.map((rule) => quarantineFinding(rule, ecosystem)),
    ...state.scanners.flatMap((scanner) => scannerFindings(scanner, ecosystem)),
    ...state.late.map((late) => lateFinding(late, absences, ecosystem)),
    ...state.webhooks.flatMap((endpoint) => webhookFindings(endpoint, ecosystem)),
    ...Object.entries(state.forwardsWaiting).flatMap(([to, waiting]) => waitingFindings(to, waiting, ecosystem)),
    ...Object.entries(state.undelivered).flatMap(([name, since]) => laggingFindings(name, since, state)),
    ...damageFindings(state),
    ...modelFindings(state),
    ...(state.budget === undefined ? [] : budgetFindings(state.budget, ecosystem)),
  ];
}

function gapFinding(gap: Gap, absences: Absences, ecosystem: string): Finding {
  const { name, category, reason, alignment_score, raised_at, fingerprint, signal_id, metadata } = gap;
  const named: unknown = metadata.reporters;
  const reporters = Array.isArray(named) ? named.filter((one) => typeof one === "string") : [];
  const absence = reporters.length === 0 ? undefined : absences.ofReporters(reporters);
  return {
    id: `gap/${fingerprint}`,
    kind: "gap",
    severity: alignment_score >= PRESSING_SCORE ? "warning" : "info",
    subject: name,
    what: `the gap ${name} is open`,
    why: `${category}: ${reason}`,
    since: raised_at,
    consequence: "the fleet goes on without the capability that it lacks",
    next_step: "ganglion gaps",
    action: look(`Evidence of ${name}`, ecosystem, `/gaps?name=${encodeURIComponent(name)}`),
    chain: signal_id ?? null,
    explainedBy: absence === undefined ? [] : [absence],
  };
}

const quarantineFinding = (rule: string, ecosystem: string): Finding => ({
  id: `rule_quarantined/${rule}`,
  kind: "rule_quarantined",
  severity: "critical",
  subject: rule,
  what: `the rule ${rule} is quarantined`,
  why: "the rule took too many steps on a signal",
  since: null,
  consequence: "the rule is not evaluated until it is edited",
  next_step: `ganglion policy show ${rule}`,
  action: look(`The rule ${rule}, and the signal`, ecosystem, `/policies/${encodeURIComponent(rule)}`),
  chain: null,
  explainedBy: [],
});

function scannerFindings(
  { id, state, last_error, retry_at }: EcosystemState["scanners"][number],
  ecosystem: string,
): Finding[] {
  if (state !== "quarantined") return [];
  return [
    {
      id: `scanner_quarantined/${id}`,
      kind: "scanner_quarantined",
      severity: "warning",
      subject: id,
      what: `the scanner ${id} is quarantined`,
      why: last_error ?? "the scanner failed several times in a row",
      since: null,
      consequence: `it finds no gaps${retry_at === undefined ? "" : ` until it is tried again at ${retry_at}`}`,
      next_step: "ganglion scanners",
      action: look("State of the scanners", ecosystem, "/scanners"),
      chain: null,
      explainedBy: [],
    },
  ];
}

function lateFinding(
  { rule, key, dueMs, reason, origin }: LateExpectation,
  absences: Absences,
  ecosystem: string,
): Finding {
  const absence = key === "" ? undefined : absences.ofReporter(key);
  return {
    id: `expectation_late/${rule}/${key}`,
    kind: "expectation_late",
    severity: "warning",
    subject: key === "" ? rule : `${rule} (${key})`,
    what: `the rule ${rule} waited in vain${key === "" ? "" : ` for ${key}`}`,
    why: reason === "" ? "an expected signal did not come in time" : reason,
    since: formatTimestamp(dueMs),
    consequence: "what should have followed is not done, unless the rule's else does it",
    next_step: `ganglion decisions --rule ${rule}`,
    action: look(`Decisions of ${rule}`, ecosystem, `/decisions?rule=${encodeURIComponent(rule)}&limit=10`),
    chain: origin,
    explainedBy: absence === undefined ? [] : [absence],
  };
}

function webhookFindings(
  { id, enabled, disabled_reason, failing_since, last_error, waiting }: EcosystemState["webhooks"][number],
  ecosystem: string,
): Finding[] {
  const gone = disabled_reason === "gone";
  if (!gone && (!enabled || failing_since === undefined)) return [];
  return [
    {
      id: webhookFailing(id),
      kind: "webhook_failing",
      severity: "warning",
      subject: id,
      what: gone ? `the webhook ${id} is gone` : `the webhook ${id} fails`,
      why: gone
        ? "the endpoint answered that it is gone, and was switched off"
        : (last_error ?? "the endpoint accepts nothing"),
      since: failing_since ?? null,
      consequence: gone
        ? "its messages are not sent"
        : `${waiting === 1 ? "1 message waits" : `${waiting} messages wait`}, and what waits for a day becomes a dead letter`,
      next_step: `ganglion webhooks deliveries ${id}`,
      action: {
        label: `Send a test message to ${id}`,
        method: "POST",
        path: `/v1/${encodeURIComponent(ecosystem)}/webhooks/${encodeURIComponent(id)}/test`,
      },
      chain: null,
      explainedBy: [],
    },
  ];
}

function waitingFindings(to: string, waiting: number, ecosystem: string): Finding[] {
  if (waiting < FEW_WAITING) return [];
  return [
    {
      id: `forwards_waiting/${to}`,
      kind: "forwards_waiting",
      severity: "warning",
      subject: to,
      what: `signals for the ecosystem ${to} wait`,
      why: `${waiting} forwarded signals wait for the ecosystem ${to}`,
      since: null,
      consequence: "they arrive late",
      next_step: "ganglion bridges",
      action: look("Bridges, and what waits", ecosystem, "/bridges"),
      chain: null,
      explainedBy: [],
    },
  ];
}

function laggingFindings(name: string, since: string | null, { nowMs, ecosystem }: EcosystemState): Finding[] {
  const lateMs = since === null ? 0 : nowMs - Date.parse(since);
  if (!(lateMs > LAGGING_MS)) return [];
  return [
    {
      id: `projection_lagging/${name}`,
      kind: "projection_lagging",
      severity: lateMs > VERY_LATE_MS ? "critical" : "warning",
      subject: name,
      what: `the projection ${name} is behind the log`,
      why: `a signal that the log has held for ${Math.round(lateMs / 1_000)} s was not taken in`,
      since,
      consequence: "what follows from the signals comes late",
      next_step: "ganglion status",
      action: look("How far each projection is", ecosystem, "/status"),
      chain: null,
      explainedBy: [],
    },
  ];
}

function damageFindings({ damaged, ecosystem }: EcosystemState): Finding[] {
  if (damaged === undefined || damaged.rows === 0) return [];
  const [first] = damaged.first;
  return [
    {
      id: "log_damaged",
      kind: "log_damaged",
      severity: "warning",
      subject: "log",
      what: "rows of the log cannot be read",
      why: `${damaged.rows} ${damaged.rows === 1 ? "row" : "rows"} cannot be read${first === undefined ? "" : `: ${first.reason}`}`,
      since: null,
      consequence: "their signals are left out wherever the log is read",
      next_step: "ganglion status",
      action: look("Which rows", ecosystem, "/status"),
      chain: null,
      explainedBy: [],
    },
  ];
}

/** The day's budget for language models: beyond it, rules take their fallbacks. */
function modelFindings({ models: settings, ecosystem }: EcosystemState): Finding[] {
  if (settings === undefined || !settings.enabled || settings.models.length === 0) return [];
  const { daily, spent } = settings;
  // A budget of nothing is a decision, and not one that is used up.
  const shares = [shareOf(spent.requests, daily.requests), shareOf(spent.usd, daily.usd)];
  const share = Math.max(...shares);
  if (share < WARNED_AT) return [];
  const usedUp = share >= 1;
  return [
    {
      id: `budget/models/${spent.day}`,
      kind: "budget",
      severity: usedUp ? "critical" : "warning",
      subject: "models",
      what: `the day's budget for models is ${usedUp ? "used up" : "nearly used up"}`,
      why: `${spent.requests} of ${daily.requests} questions and $${spent.usd.toFixed(2)} of $${daily.usd} are spent`,
      since: null,
      consequence: usedUp ? "rules take their fallbacks until midnight (UTC)" : "beyond it, rules take their fallbacks",
      next_step: "ganglion models",
      action: look("Settings of the models, and what is spent", ecosystem, "/models"),
      chain: null,
      explainedBy: [],
    },
  ];
}

const shareOf = (spent: number, allowed: number) => (allowed > 0 ? spent / allowed : 0);

function budgetFindings({ state, monthly_usd, spent_usd, month, observations }: Budget, ecosystem: string): Finding[] {
  if (monthly_usd === null || state === "none" || state === "within") return [];
  const exceeded = state === "exceeded";
  const share = Math.floor((spent_usd / monthly_usd) * 100);
  return [
    {
      id: `budget/${month}`,
      kind: "budget",
      severity: exceeded ? "critical" : "warning",
      subject: month,
      what: exceeded ? "the budget of the month is used up" : "the budget of the month is nearly used up",
      why: `$${spent_usd.toFixed(2)} of the month's $${monthly_usd} are spent (${share} %)`,
      since: null,
      consequence: exceeded
        ? `one of ${observations.taken_one_of} observations is taken, ${observations.left_out} were left out`
        : "above the budget observations are sampled",
      next_step: "ganglion usage",
      action: look("What it was spent on", ecosystem, "/usage"),
      chain: null,
      explainedBy: [],
    },
  ];
}
