import { AgentSessions, type SessionsQuery } from "../core/agent-sessions/api.ts";
import { SessionSettings, type SessionSettingsChange } from "../core/agent-sessions/settings.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** Calls about sessions of agents that report by telemetry or hooks. */
export function agentSessionCalls({ call, inside }: Calls) {
  return {
    agentSessions: (query: Partial<SessionsQuery> = {}) =>
      call(AgentSessions, { path: inside("/agent-sessions"), query: { ...query } }),
    sessionSettings: () => call(SessionSettings, { path: inside("/agent-sessions/settings") }),
    changeSessionSettings: (body: SessionSettingsChange) =>
      call(SessionSettings, { method: "PATCH", path: inside("/agent-sessions/settings"), body }),
  };
}
