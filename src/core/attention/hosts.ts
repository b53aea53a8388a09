import { HOSTS_QUEUE } from "../hosts/command-queue.ts";
import type { FleetHost, FleetProcess } from "../hosts/fleet.ts";
import type { AttentionAction } from "./api.ts";
import { type Finding, look } from "./finding.ts";

export const hostDown = (host: string) => `host_down/${host}`;
const troubleOf = (host: string, name: string, state: string) =>
  `${state === "gave_up" ? "agent_given_up" : "agent_hung"}/${host}/${name}`;

const isInTrouble = ({ state, verdict }: FleetProcess) => state === "gave_up" || verdict === "hung";

/** What needs somebody at a host: the host itself, its health, and what it supervises. */
export function hostFindings(host: FleetHost, ecosystem: string): Finding[] {
  const { host: name, state, since, reason, alerts, processes } = host;
  const at = `/agents/${encodeURIComponent(name)}`;
  const down: Finding = {
    id: hostDown(name),
    kind: "host_down",
    severity: "critical",
    subject: name,
    what: `the host ${name} is down`,
    why: reason === "silent" ? "the host is linked and does not answer" : "the host has lost its link",
    since,
    consequence: "its signals wait on its disk, and its tasks go to others or wait",
    next_step: `ganglion hosts ${name}`,
    action: look(`What ${name} ran when it was last seen`, ecosystem, at),
    chain: null,
    explainedBy: [],
  };
  const raised = alerts.map(
    (alert): Finding => ({
      id: `host_alert/${name}/${alert.subject}`,
      kind: "host_alert",
      severity: "warning",
      subject: name,
      what: `${alert.subject} of ${name} is above its limit`,
      why: `${alert.subject} is at ${alert.value}, above ${alert.limit}`,
      since: alert.since,
      consequence: "what runs on the host slows down, or fails when nothing is left",
      next_step: `ganglion hosts ${name}`,
      action: look(`Figures of ${name}`, ecosystem, at),
      chain: null,
      explainedBy: [hostDown(name)],
    }),
  );
  return [
    ...(state === "down" ? [down] : []),
    ...raised,
    ...processes.filter(isInTrouble).map((process) => processFinding(name, process, ecosystem)),
  ];
}

function processFinding(host: string, { name, state, detail, task }: FleetProcess, ecosystem: string): Finding {
  const givenUp = state === "gave_up";
  const command = givenUp ? "start" : "restart";
  const last = detail === null ? "" : `: ${detail}`;
  return {
    id: troubleOf(host, name, state),
    kind: givenUp ? "agent_given_up" : "agent_hung",
    severity: "critical",
    subject: `${name} on ${host}`,
    what: `${name} on ${host} ${givenUp ? "was given up" : "hangs"}`,
    why: givenUp
      ? `the supervised agent failed several times in a row, and is not restarted any more${last}`
      : `the supervised agent shows no sign of life${task === null ? "" : ` while it works on ${task}`}`,
    since: null,
    consequence: givenUp
      ? `the agent does no work until it is started: ganglion start ${name} --host ${host}`
      : "the agent does no work until it is restarted",
    next_step: `ganglion logs ${name} --host ${host}`,
    action: commandOf(host, name, command, ecosystem),
    chain: null,
    explainedBy: [hostDown(host)],
  };
}

/** A command for a host, as a task of the queue of commands. */
function commandOf(host: string, name: string, command: "start" | "restart", ecosystem: string): AttentionAction {
  return {
    label: `${command === "start" ? "Start" : "Restart"} ${name} on ${host}`,
    method: "POST",
    path: `/v1/${encodeURIComponent(ecosystem)}/queues/${HOSTS_QUEUE}/tasks`,
    body: { recipient: host, type: `supervisor.${command}`, payload: { names: [name] }, deadline_ms: 60_000 },
  };
}

/** Which hosts and supervised agents cannot work, for whatever waits for them. */
export class Absences {
  readonly #states = new Map<string, FleetHost["state"]>();
  /** By the name of the agent, what keeps each of that name from working; `null`: nothing. */
  readonly #agents = new Map<string, (string | null)[]>();

  constructor(hosts: readonly FleetHost[]) {
    for (const { host, state, processes } of hosts) {
      this.#states.set(host, state);
      for (const process of processes) {
        const own = isInTrouble(process) ? troubleOf(host, process.name, process.state) : null;
        const found = this.#agents.get(process.name) ?? [];
        this.#agents.set(process.name, found);
        found.push(state === "down" ? hostDown(host) : own);
      }
    }
  }

  /** Why nobody works for a recipient: its host is down, or every agent of its name is in trouble. */
  ofRecipient(recipient: string): string | undefined {
    if (this.#states.get(recipient) === "down") return hostDown(recipient);
    const found = this.#agents.get(recipient) ?? [];
    return found.every((trouble) => trouble !== null) ? (found[0] ?? undefined) : undefined;
  }

  /** Why nobody works for any of these recipients; `undefined`: somebody does. The likeliest first. */
  ofRecipients(recipients: readonly string[]): string | undefined {
    const found = recipients.map((recipient) => this.ofRecipient(recipient));
    return found.every((trouble) => trouble !== undefined) ? found[0] : undefined;
  }

  /** Why a reporter of measurements is silent: `host/gpu-01`, `metrics/gpu-01`, `gpu-01/app` and `gpu-01` are of one host. */
  ofReporter(reporter: string): string | undefined {
    const [first = "", second = ""] = reporter.split("/");
    const names = [reporter, ...(first === "host" || first === "metrics" ? [second] : [first])];
    for (const name of names) if (this.#states.get(name) === "down") return hostDown(name);
    return this.ofRecipient(reporter);
  }

  ofReporters(reporters: readonly string[]): string | undefined {
    const found = reporters.map((reporter) => this.ofReporter(reporter));
    return found.every((trouble) => trouble !== undefined) ? found[0] : undefined;
  }
}
