import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { ignoreMissing } from "../base/files/ignore-missing.ts";
import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import { takeIn } from "../store/intake.ts";
import type { Spool } from "../store/spool.ts";

/** A heartbeat of a worker; `hosts` has those of all hosts, where this agent's kind wrote it. */
const Beat = z.looseObject({
  host: z.string().optional(),
  timestamp: z.union([z.string(), z.number()]),
  status: z.string().optional(),
  state: z.string().optional(),
});
const BeatFile = Beat.extend({ worker: z.string().optional(), hosts: z.array(Beat).optional() });
type BeatFile = z.infer<typeof BeatFile>;

export interface HeartbeatWatchOptions {
  /** Directory of the heartbeat files. */
  readonly directory: string;
  readonly host: string;
  /** Workers whose heartbeats this agent writes itself. */
  readonly own: () => readonly string[];
  /** A heartbeat that has not changed for so long has stopped. */
  readonly staleMs: () => number;
  readonly spool: Spool;
  readonly now: () => number;
  readonly log: Logger;
  /** Milliseconds between two looks; default 10,000. */
  readonly everyMs?: number;
}

interface Watched {
  readonly timestamp: string;
  readonly changedMs: number;
  /** `left`: it has stopped, and another host has reported that. */
  state: "beats" | "reported" | "left";
}

/** A heartbeat of somebody else, as it is in a file. */
interface SeenBeat {
  readonly key: string;
  readonly worker: string;
  readonly host: string | undefined;
  readonly timestamp: string;
  readonly isStopped: boolean;
}

const EVERY_MS = 10_000;
/** After so many times of staleness a heartbeat that another host reports is left to it. */
const LEFT_AFTER = 1.5;
/** Workers that are watched, and bytes of a file that are read. */
const MAX_WORKERS = 1_000;
const MAX_BYTES = 1024 * 1024;

/**
 * Watches the heartbeat files that others write into the directory: older watchers, and agents of other hosts that share it.
 * One that stops is reported once, and once when it beats again. What counts is that the file changes, whatever the clocks
 * of those hosts say; a worker that says that it was stopped is not silent.
 */
export class HeartbeatWatch implements Service {
  readonly name = "heartbeats";
  readonly #options: HeartbeatWatchOptions;
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #failure: string | undefined;

  constructor(options: HeartbeatWatchOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.look(), this.#options.everyMs ?? EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Reads all heartbeats once. Resolves when changes are on the disk. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look()).catch((error: unknown) => this.#failed(error));
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { directory } = this.#options;
    const names = (await readdir(directory).catch(ignoreMissing)) ?? [];
    for (const name of names.filter((one) => one.endsWith(".json") && !one.startsWith(".")).slice(0, MAX_WORKERS)) {
      const file = await readBeats(join(directory, name));
      if (file === undefined) continue;
      const beats = this.#foreign(file, name.slice(0, -".json".length));
      for (const beat of beats) await this.#seen(beat, beats);
    }
    this.#failure = undefined;
  }

  #foreign({ worker, hosts, ...single }: BeatFile, name: string): SeenBeat[] {
    const { host, own } = this.#options;
    const of = (beat: z.infer<typeof Beat>) => ({
      key: `${worker ?? name} ${beat.host ?? ""}`,
      worker: worker ?? name,
      host: beat.host,
      timestamp: String(beat.timestamp),
      isStopped: beat.status === "stopped" || beat.state === "stopped",
    });
    if (hosts !== undefined) return hosts.filter((beat) => beat.host !== host).map(of);
    return single.host === host || own().includes(worker ?? name) ? [] : [of(single)];
  }

  async #seen(beat: SeenBeat, beats: readonly SeenBeat[]): Promise<void> {
    const { now, spool, host } = this.#options;
    const { key, worker, timestamp } = beat;
    const before = this.#watched.get(key);
    const facts = { host, worker, ...(beat.host !== undefined && { beats_on: beat.host }) };
    if (before === undefined || before.timestamp !== timestamp) {
      this.#watched.set(key, { timestamp, changedMs: now(), state: "beats" });
      const back = { ...facts, since: new Date(now()).toISOString() };
      if (before?.state === "reported")
        await put(spool, "Q_WORKER_BACK", back, `heartbeat:${key}:back:${timestamp}`, now());
      return;
    }
    if (before.state !== "beats" || beat.isStopped || !this.#isStale(before, 1)) return;
    // Of several hosts that see it, the first one that lives reports it. One that has lived on meanwhile has done so.
    const isFirst = beats.every((other) => !this.#lives(other) || (other.host ?? "") > host);
    if (!isFirst && !this.#isStale(before, LEFT_AFTER)) return;
    before.state = isFirst ? "reported" : "left";
    if (!isFirst) return;
    const last = { ...facts, last_heartbeat: timestamp };
    // Once, also where the agent is restarted meanwhile.
    await put(spool, "Q_WORKER_SILENT", last, `heartbeat:${key}:silent:${timestamp}`, now());
  }

  #lives({ key, isStopped }: SeenBeat): boolean {
    const watched = this.#watched.get(key);
    return watched !== undefined && !isStopped && !this.#isStale(watched, 1);
  }

  #isStale({ changedMs }: Watched, times: number): boolean {
    return this.#options.now() - changedMs > times * this.#options.staleMs();
  }

  #failed(error: unknown): void {
    const { message } = error as Error;
    if (this.#failure !== message) this.#options.log.warn({ err: error }, "workers: heartbeats cannot be watched");
    this.#failure = message;
  }
}

/** @returns `undefined` for a file that is gone, or no heartbeat */
async function readBeats(path: string): Promise<BeatFile | undefined> {
  const text = await readFile(path, "utf8").catch(ignoreMissing);
  if (text === undefined || text.length > MAX_BYTES) return undefined;
  try {
    return BeatFile.safeParse(JSON.parse(text)).data;
  } catch {
    // Another program's file, or one that is being written: the next look reads it again.
    return undefined;
  }
}

async function put(spool: Spool, signal: string, facts: Record<string, unknown>, taken: string, nowMs: number) {
  const { host, ...more } = facts;
  const made = takeIn(
    { signal, source: `worker/${String(facts.worker)}@${String(host)}`, facts: { host, ...more } },
    nowMs,
  );
  if (!made.ok) throw new Error(`${signal} is not a valid signal`);
  await spool.put("local", [made.signal], { taken });
}
