import type { FleetHost, FleetProcess } from "../../src/core/hosts/fleet.ts";
import type { Tone } from "../parts/tone.ts";

/** How a process stands, in the words and the colour that the whole dashboard uses. */
export interface Standing {
  readonly tone: Tone;
  readonly word: string;
}

const VERDICTS: Readonly<Record<string, Tone>> = {
  working: "good",
  waiting: "notice",
  idle: "calm",
  hung: "critical",
  dead: "critical",
};

/** Of a host that is down nobody knows how its processes stand. */
export function standingOf(process: Pick<FleetProcess, "state" | "verdict">, hostUp: boolean): Standing {
  const { state, verdict } = process;
  if (!hostUp) return { tone: "calm", word: "unknown" };
  if (state === "gave_up") return { tone: "critical", word: "given up" };
  if (state === "backing_off") return { tone: "warning", word: "restarts" };
  if (state === "up") return { tone: VERDICTS[verdict] ?? "notice", word: verdict };
  return { tone: state === "stopped" ? "calm" : "notice", word: state };
}

export interface FleetTotals {
  readonly hosts: number;
  readonly down: number;
  readonly processes: number;
  /** How many processes stand so, the most frequent first. */
  readonly words: readonly (readonly [word: string, count: number, tone: Tone])[];
}

export function totalsOf(hosts: readonly FleetHost[]): FleetTotals {
  const words = new Map<string, [count: number, tone: Tone]>();
  let [down, processes] = [0, 0];
  for (const host of hosts) {
    const up = host.state === "up";
    if (!up) down++;
    for (const process of host.processes) {
      processes++;
      const { word, tone } = standingOf(process, up);
      words.set(word, [(words.get(word)?.[0] ?? 0) + 1, tone]);
    }
  }
  const sorted = [...words].map(([word, [count, tone]]) => [word, count, tone] as const).sort((a, b) => b[1] - a[1]);
  return { hosts: hosts.length, down, processes, words: sorted };
}

/** `agent-2` before `agent-10`. */
const byNumber = new Intl.Collator("en", { numeric: true });

const URGENCY: Readonly<Record<Tone, number>> = { critical: 0, warning: 1, notice: 2, good: 3, calm: 4 };

/** Hosts and processes that a reader wants to see: those in trouble first. `standing`: only processes that stand so. */
export function wantedHosts(hosts: readonly FleetHost[], text: string, standing: string): FleetHost[] {
  const wanted = text.trim().toLowerCase();
  return hosts
    .flatMap((host) => {
      const up = host.state === "up";
      const named = wanted === "" || host.host.toLowerCase().includes(wanted);
      const processes = host.processes.filter(
        (process) =>
          (named ||
            `${process.name} ${process.waiting_for ?? ""} ${process.task ?? ""}`.toLowerCase().includes(wanted)) &&
          (standing === "" || standingOf(process, up).word === standing),
      );
      const shown = processes.length > 0 || (named && standing === "");
      return shown ? [{ ...host, processes: sortedProcesses(processes, up) }] : [];
    })
    .sort((a, b) => urgencyOf(a) - urgencyOf(b) || (a.host < b.host ? -1 : 1));
}

const sortedProcesses = (processes: readonly FleetProcess[], up: boolean): FleetProcess[] =>
  processes
    .map((process) => ({ process, urgency: URGENCY[standingOf(process, up).tone] }))
    .sort((a, b) => Math.min(a.urgency, 2) - Math.min(b.urgency, 2) || byNumber.compare(a.process.name, b.process.name))
    .map(({ process }) => process);

function urgencyOf(host: FleetHost): number {
  if (host.state !== "up") return 0;
  const worst = host.processes.reduce((least, process) => Math.min(least, URGENCY[standingOf(process, true).tone]), 9);
  return worst < 2 || host.alerts.length > 0 ? 1 : 2;
}
