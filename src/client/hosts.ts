import type { AgentView, MonitorRun } from "../core/hosts/agent-view.ts";
import type { MonitorSettings } from "../core/hosts/monitors/monitor-settings.ts";
import type { Call } from "./http/request.ts";

interface Calls {
  readonly call: <Answer>(what: Call) => Promise<Answer>;
  readonly inside: (path: string) => string;
}

/** Monitors' settings, any part of them: what is left out has its default. */
export type MonitorSettingsInput = Readonly<Record<string, unknown>>;

/** Calls about hosts and what watches them. */
export function agentCalls({ call, inside }: Calls) {
  const at = (host: string) => inside(`/agents/${encodeURIComponent(host)}`);
  return {
    list: async () => (await call<{ agents: AgentView[] }>({ path: inside("/agents") })).agents,
    get: (host: string) => call<AgentView>({ path: at(host) }),
    /** One that is down and will not come back. */
    forget: (host: string) => call<void>({ method: "DELETE", path: at(host) }),
    monitors: () => call<MonitorSettings>({ path: inside("/monitors") }),
    setMonitors: (settings: MonitorSettingsInput) =>
      call<MonitorSettings>({ method: "PUT", path: inside("/monitors"), body: settings }),
    /** Asks every host now, as is done each minute. */
    runMonitors: () => call<MonitorRun>({ method: "POST", path: inside("/monitors/run") }),
  };
}
