import type { AgentState } from "../../src/core/supervisor/api.ts";
import type { Registrar } from "../feature/registrar.ts";
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

/** Metrics of the supervised agents. */
export function registerSupervisorMetrics(register: Registrar, supervisor: Supervisor): void {
  const byAgent = (value: (state: AgentState) => number | null) => () =>
    supervisor.states().flatMap((state) => {
      const present = value(state);
      return present === null ? [] : [{ agent: state.name, value: present }];
    });
  register.gauge({
    name: "ganglion_supervised_state",
    help: "1 for the state of a supervised agent",
    labels: ["agent", "state"],
    read: () =>
      supervisor.states().flatMap(({ name, state, verdict }) => {
        const now = state === "up" ? verdict : state;
        return STATES.map((one) => ({ agent: name, state: one, value: one === now ? 1 : 0 }));
      }),
  });
  register.gauge({
    name: "ganglion_supervised_memory_bytes",
    help: "Resident memory of the process group",
    labels: ["agent"],
    read: byAgent(({ memory_mb }) => memory_mb && memory_mb * MIB),
  });
  register.gauge({
    name: "ganglion_supervised_cpu_ratio",
    help: "Processors in use by the process group",
    labels: ["agent"],
    read: byAgent(({ cpu_percent }) => cpu_percent && cpu_percent / 100),
  });
  register.gauge({
    name: "ganglion_supervised_uptime_seconds",
    help: "Time since the process was started",
    labels: ["agent"],
    read: byAgent(({ uptime_ms }) => uptime_ms && uptime_ms / 1000),
  });
  register.counter({
    name: "ganglion_supervised_restarts",
    help: "Restarts since the host's agent was started",
    labels: ["agent"],
    read: byAgent(({ restarts }) => restarts),
  });
}
