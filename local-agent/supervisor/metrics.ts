import { counterOf, gaugeOf, type Metrics } from "../telemetry/instruments.ts";
import type { AgentState } from "./agent-state.ts";
import type { Supervisor } from "./supervisor.ts";

const STATES = [
  "working",
  "waiting",
  "idle",
  "hung",
  "starting",
  "stopping",
  "backing_off",
  "stopped",
  "gave_up",
] as const;
const MIB = 1024 * 1024;

/** What a host's agent runs, for Prometheus: read when it is asked for. */
export function registerSupervisorMetrics(metrics: Metrics, supervisor: Supervisor): void {
  const each = (value: (state: AgentState) => number | null) => () =>
    supervisor.states().flatMap((state) => {
      const figure = value(state);
      return figure === null ? [] : [{ agent: state.name, value: figure }];
    });
  const named = (name: string, help: string) => [metrics, `ganglion_supervised_${name}`, help] as const;
  gaugeOf(
    ...named("state", "1 for the state of a supervised agent"),
    () =>
      supervisor.states().flatMap(({ name, state, verdict }) => {
        const now = state === "up" ? verdict : state;
        return STATES.map((one) => ({ agent: name, state: one, value: one === now ? 1 : 0 }));
      }),
    ["agent", "state"],
  );
  gaugeOf(
    ...named("memory_bytes", "Resident memory of the process group"),
    each(({ memory_mb }) => memory_mb && memory_mb * MIB),
    ["agent"],
  );
  gaugeOf(
    ...named("cpu_ratio", "Processors in use by the process group"),
    each(({ cpu_percent }) => cpu_percent && cpu_percent / 100),
    ["agent"],
  );
  gaugeOf(
    ...named("uptime_seconds", "Since the process was started"),
    each(({ uptime_ms }) => uptime_ms && uptime_ms / 1000),
    ["agent"],
  );
  counterOf(
    ...named("restarts", "Restarts since the host's agent was started"),
    each(({ restarts }) => restarts),
    ["agent"],
  );
}
