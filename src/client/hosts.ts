import { Agents, AgentView, MonitorRun, MonitorSettingsView } from "../core/hosts/api.ts";
import { ProducerPage, type ProducerRecord } from "../core/signals/api.ts";
import { NoAnswer } from "./answers/no-answer.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** Monitor settings. An absent field gets its default. */
export type MonitorSettingsInput = Readonly<Record<string, unknown>>;

/** Calls about hosts and their monitors. */
export function agentCalls({ call, inside }: Calls) {
  const at = (host: string) => inside(`/agents/${encodeURIComponent(host)}`);
  return {
    /** All hosts, by name. */
    async list(): Promise<AgentView[]> {
      const agents: AgentView[] = [];
      for (let after: string | undefined; ; ) {
        const query = after === undefined ? {} : { after };
        const page = await call(Agents, { path: inside("/agents"), query });
        agents.push(...page.agents);
        if (page.next === undefined) return agents;
        after = page.next;
      }
    },
    get: (host: string) => call(AgentView, { path: at(host) }),
    /** Forgets a host that is down. */
    forget: (host: string) => call(NoAnswer, { method: "DELETE", path: at(host) }),
    /** Releases the host's name from the token that owns it. */
    release: (host: string) => call(NoAnswer, { method: "DELETE", path: `${at(host)}/owner` }),
    /** Producers whose numbers the log knows, of one host or all. */
    async producers(host?: string): Promise<ProducerRecord[]> {
      const producers: ProducerRecord[] = [];
      for (let after: string | undefined; ; ) {
        const query = { ...(host === undefined ? {} : { host }), ...(after === undefined ? {} : { after }) };
        const page = await call(ProducerPage, { path: inside("/producers"), query });
        producers.push(...page.producers);
        if (page.next === null) return producers;
        after = page.next;
      }
    },
    /** Takes the next number of a producer for its first. */
    forgetProducer: (producer: string) =>
      call(NoAnswer, { method: "DELETE", path: inside(`/producers/${encodeURIComponent(producer)}`) }),
    monitors: () => call(MonitorSettingsView, { path: inside("/monitors") }),
    setMonitors: (settings: MonitorSettingsInput) =>
      call(MonitorSettingsView, { method: "PUT", path: inside("/monitors"), body: settings }),
    /** Asks all hosts now, as happens each minute. */
    runMonitors: () => call(MonitorRun, { method: "POST", path: inside("/monitors/run") }),
  };
}
