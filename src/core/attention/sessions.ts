import type { EcosystemState } from "./ecosystem-state.ts";
import { type Finding, look } from "./finding.ts";
import { hostDown } from "./hosts.ts";

/** Sessions that a host's agent reports name the host behind this. */
const OF_HOST = "sessions/";

/** A session of an agent that needs a person. */
export function sessionFinding(
  { session, agent, source, verdict, since, tool, directory }: EcosystemState["sessions"][number],
  ecosystem: string,
): Finding {
  const frozen = verdict === "frozen";
  const where = directory === null ? "" : ` in ${directory}`;
  return {
    id: `${frozen ? "session_frozen" : "session_waiting"}/${agent}/${session}`,
    kind: frozen ? "session_frozen" : "session_waiting",
    severity: frozen ? "critical" : "warning",
    subject: `${agent} ${session}`,
    what: frozen ? `a session of ${agent} is frozen` : `a session of ${agent} waits for a person`,
    why: frozen
      ? `the session ${session}${where} shows no sign of life${tool === null ? "" : ` in ${tool}`}`
      : `the session ${session}${where} asks ${tool === null ? "a person" : `whether it may use ${tool}`}`,
    since,
    consequence: frozen
      ? "the session does no work until somebody looks after it"
      : "the session does nothing until it is answered",
    next_step: `ganglion agent-sessions ${session}`,
    action: look(
      `What the session of ${agent} did and used`,
      ecosystem,
      `/agent-sessions?session=${encodeURIComponent(session)}`,
    ),
    chain: null,
    // What a host reports does not come while the host is down.
    explainedBy: source.startsWith(OF_HOST) ? [hostDown(source.slice(OF_HOST.length))] : [],
  };
}
