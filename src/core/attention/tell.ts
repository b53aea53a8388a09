import type { TellingSignals } from "./ecosystem-state.ts";
import type { Finding } from "./finding.ts";

/** Facts that make the id of the finding about which a signal tells; `undefined`: the signal tells of none. */
function told({ signal, facts }: TellingSignals[number]): readonly string[] | undefined {
  const of = (...names: string[]) => names.map((name) => String(facts[name]));
  switch (signal) {
    case "Q_AGENT_DOWN":
      return ["host_down", ...of("host")];
    case "Q_HEALTH_ALERT":
      return facts.state === "raised" ? ["host_alert", ...of("host", "subject")] : undefined;
    case "Q_PROCESS_GAVE_UP":
      return ["agent_given_up", ...of("host", "agent")];
    case "Q_PROCESS_HUNG":
      return ["agent_hung", ...of("host", "agent")];
    case "Q_SESSION_FROZEN":
      return ["session_frozen", ...of("agent", "session")];
    case "Q_SESSION_WAITING":
      return ["session_waiting", ...of("agent", "session")];
    case "Q_POLICY_QUARANTINED":
      return ["rule_quarantined", ...of("policy")];
    case "Q_QUEUE_ALERT":
      return facts.state === "raised" ? ["queue_alert", ...of("queue", "rule", "subject")] : undefined;
    case "Q_QUEUE_BREAKER":
      return facts.state === "open" ? ["breaker_open", ...of("queue", "recipient")] : undefined;
    case "Q_QUEUE_PAUSE":
      return facts.state === "paused" ? ["queue_paused", ...of("queue")] : undefined;
    case "Q_LOG_DAMAGED":
      return ["log_damaged"];
    case "ganglion.budget.warned":
      return ["budget", ...of("month")];
    default:
      return undefined;
  }
}

/** Findings with the signals that tell how they began, as far as the log still has them: the newest of each counts. */
export function withChains(findings: readonly Finding[], signals: TellingSignals): Finding[] {
  const newest = new Map<string, TellingSignals[number]>();
  for (const signal of signals) {
    const id = told(signal)?.join("/");
    if (id !== undefined && !newest.has(id)) newest.set(id, signal);
  }
  return findings.map((finding) => {
    const signal = newest.get(finding.id);
    if (signal === undefined) return finding;
    return { ...finding, chain: finding.chain ?? signal.id, since: finding.since ?? signal.timestamp };
  });
}
