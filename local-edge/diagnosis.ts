import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Diagnoses that are kept; the oldest goes first. */
const KEEP = 10;
/** Sockets that are listed one by one. */
const MAX_SOCKETS = 500;

export interface Hang {
  readonly pid: number;
  /** How long the edge had not answered. */
  readonly silentMs: number;
  readonly reason: string;
  /** The last lines of the log. */
  readonly lines: readonly string[];
}

/**
 * Writes down what can be found out about a runtime that does not answer, for whoever looks for the cause: threads with
 * what each waits for, memory, open sockets with what waits in them, the last lines of the log. It asks the kernel alone,
 * because the runtime does not answer.
 *
 * @returns the file
 */
export function writeDiagnosis(directory: string, hang: Hang): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const at = new Date().toISOString();
  const file = join(directory, `${at.replaceAll(":", "-")}.json`);
  const { pid, silentMs, reason, lines } = hang;
  const status = fieldsOf(attempt(() => readFileSync(`/proc/${pid}/status`, "utf8")));
  const found = {
    at,
    pid,
    silent_ms: Math.round(silentMs),
    reason,
    state: status.State,
    memory: { rss: status.VmRSS, peak: status.VmHWM, swap: status.VmSwap, threads: status.Threads },
    load_average: attempt(() => readFileSync("/proc/loadavg", "utf8").trim()),
    threads: attempt(() => threadsOf(pid)),
    sockets: attempt(() => socketsOf(pid)),
    log: lines,
  };
  writeFileSync(file, `${JSON.stringify(found, null, 1)}\n`, { mode: 0o600 });
  const old = readdirSync(directory)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .slice(0, -KEEP);
  for (const name of old) rmSync(join(directory, name), { force: true });
  return file;
}

function threadsOf(pid: number) {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const read = (name: string) => attempt(() => readFileSync(`/proc/${pid}/task/${thread}/${name}`, "utf8").trim());
    const [ran, queued] = (read("schedstat") ?? "").split(" ").map((ns) => Math.round(Number(ns) / 1e6));
    return {
      thread: Number(thread),
      name: read("comm"),
      state: fieldsOf(read("status")).State,
      waits_in: read("wchan"),
      system_call: read("syscall"),
      // The kernel shows it to root alone.
      stack: read("stack"),
      cpu_ms: ran,
      waited_ms: queued,
    };
  });
}

const TCP_STATES: Readonly<Record<string, string>> = {
  "01": "established",
  "02": "syn-sent",
  "03": "syn-received",
  "04": "fin-wait-1",
  "05": "fin-wait-2",
  "06": "time-wait",
  "07": "close",
  "08": "close-wait",
  "09": "last-ack",
  "0A": "listen",
  "0B": "closing",
};

function socketsOf(pid: number) {
  const inodes = new Set<string>();
  let files = 0;
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    files++;
    const [, inode] = /^socket:\[(\d+)\]$/.exec(attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? "") ?? [];
    if (inode !== undefined) inodes.add(inode);
  }
  const sockets: { port: number; peer: number; state: string; to_send: number; to_read: number }[] = [];
  const states: Record<string, number> = {};
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, "utf8").split("\n").slice(1)) {
    const [, local = "", remote = "", code = "", queues = "", , , , , inode = ""] = line.trim().split(/\s+/);
    if (!inodes.has(inode)) continue;
    const state = TCP_STATES[code] ?? code;
    states[state] = (states[state] ?? 0) + 1;
    const [out = 0, in_ = 0] = queues.split(":").map((hex) => Number.parseInt(hex, 16));
    if (sockets.length < MAX_SOCKETS)
      sockets.push({ port: portOf(local), peer: portOf(remote), state, to_send: out, to_read: in_ });
  }
  return { open_files: files, by_state: states, tcp: sockets };
}

const portOf = (address: string) => Number.parseInt(address.split(":")[1] ?? "", 16);

/** Lines of `Name:<tab>value`. */
function fieldsOf(text: string | undefined): Readonly<Record<string, string | undefined>> {
  const pairs = (text ?? "").split("\n").map((line) => line.split(/:\s*/, 2));
  return Object.fromEntries(pairs.map(([name = "", value = ""]) => [name, value]));
}

/** A part that the system does not show, or not to this user, is left out. */
function attempt<Found>(look: () => Found): Found | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
