import type { AgentView, MonitorRun } from "../core/hosts/api.ts";
import type { MonitorSettings } from "../core/hosts/monitors/monitor-settings.ts";
import type { Call } from "./http/request.ts";

interface Calls {
  readonly call: <Answer>(request: Call) => Promise<Answer>;
  readonly inside: (path: string) => string;
}

/** Monitor settings. An absent field gets its default. */
export type MonitorSettingsInput = Readonly<Record<string, unknown>>;

/** Calls about hosts and their monitors. */
export function agentCalls({ call, inside }: Calls) {
  const at = (host: string) => inside(`/agents/${encodeURIComponent(host)}`);
  return {
    list: async () => (await call<{ agents: AgentView[] }>({ path: inside("/agents") })).agents,
    get: (host: string) => call<AgentView>({ path: at(host) }),
    /** Forgets a host that is down. */
    forget: (host: string) => call<void>({ method: "DELETE", path: at(host) }),
    /** Releases the host's name from the token that owns it. */
    release: (host: string) => call<void>({ method: "DELETE", path: `${at(host)}/owner` }),
    monitors: () => call<MonitorSettings>({ path: inside("/monitors") }),
    setMonitors: (settings: MonitorSettingsInput) =>
      call<MonitorSettings>({ method: "PUT", path: inside("/monitors"), body: settings }),
    /** Asks all hosts now, as happens each minute. */
    runMonitors: () => call<MonitorRun>({ method: "POST", path: inside("/monitors/run") }),
  };
}
