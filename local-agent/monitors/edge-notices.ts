import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as z from "zod";
import { EDGE_PARTS, type Silences, type VitalChange } from "../../src/core/hosts/edge-vitals.ts";
import type { Logger } from "../base/log.ts";
import { endingText, runCommand } from "../base/process/run-command.ts";

/** A way on which people are told that needs no edge. */
export interface NoticeChannels {
  /** A program of the host's settings, which gets the notice as JSON on its standard input. */
  readonly command?: readonly [string, ...string[]] | undefined;
  readonly cwd?: string | undefined;
  /** Gets the notice as the JSON body of a POST. */
  readonly url?: string | undefined;
}

interface EdgeNoticesOptions {
  /** What is silent, and what is still to be told. */
  readonly path: string;
  readonly host: string;
  readonly ecosystem: string;
  readonly channels: () => NoticeChannels;
  readonly log: Logger;
  /** Waits between the attempts of one notice, in milliseconds. */
  readonly retryMs?: readonly number[];
}

const Part = z.enum(EDGE_PARTS);
const Stored = z.object({
  silent: z.partialRecord(Part, z.object({ sinceMs: z.number(), reason: z.string() })),
  untold: z.array(
    z.object({
      channel: z.enum(["command", "url"]),
      change: z.object({
        part: Part,
        state: z.enum(["silent", "back"]),
        sinceMs: z.number(),
        seconds: z.number(),
        reason: z.string(),
      }),
    }),
  ),
});
type Stored = z.output<typeof Stored>;
type Untold = Stored["untold"][number];

const RETRY_MS = [1_000, 10_000, 60_000, 300_000];
const LIMIT_MS = 30_000;
/** Of a notice that nobody could be told for so long, the next one says more. */
const MAX_UNTOLD = 64;

/**
 * Tells a command and a second channel of what has become silent or is back, and remembers it in a file. A notice is crossed
 * out once it was delivered; one whose delivery failed is tried again, over restarts of the agent too. Only an agent that is
 * killed between a delivery and the crossing out tells it twice.
 */
export class EdgeNotices {
  readonly #options: EdgeNoticesOptions;
  readonly #stopping = new AbortController();
  #stored: Stored = { silent: {}, untold: [] };
  #telling: Promise<void> = Promise.resolve();
  #busy = false;

  constructor(options: EdgeNoticesOptions) {
    this.#options = options;
  }

  get silent(): Silences {
    const known = EDGE_PARTS.flatMap((part) => {
      const silence = this.#stored.silent[part];
      return silence === undefined ? [] : [[part, silence] as const];
    });
    return Object.fromEntries(known);
  }

  async start(): Promise<void> {
    const { path, log } = this.#options;
    try {
      this.#stored = Stored.parse(JSON.parse(readFileSync(path, "utf8")));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT")
        log.warn({ err: error }, "edge watch: its file cannot be read; a silence that goes on is told once more");
    }
    this.#deliver();
  }

  /** Lets the delivery under way end, and begins no other: the rest is told after the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#telling;
  }

  add(silent: Silences, changes: readonly VitalChange[]): void {
    const { command, url } = this.#options.channels();
    const ways = [
      ...(command === undefined ? [] : ["command" as const]),
      ...(url === undefined ? [] : ["url" as const]),
    ];
    const untold = changes.flatMap((change) => ways.map((channel) => ({ channel, change })));
    this.#stored = { silent: { ...silent }, untold: [...this.#stored.untold, ...untold].slice(-MAX_UNTOLD) };
    this.#write();
    this.#deliver();
  }

  #deliver(): void {
    if (this.#busy || this.#stored.untold.length === 0) return;
    this.#busy = true;
    this.#telling = this.#tellAll().finally(() => {
      this.#busy = false;
    });
  }

  /** In order within a channel; a channel that does not answer holds up the others for one attempt alone. */
  async #tellAll(): Promise<void> {
    const { log, retryMs = RETRY_MS } = this.#options;
    for (let failures = 0; this.#stored.untold.length > 0 && !this.#stopping.signal.aborted; ) {
      const failed = new Set<Untold["channel"]>();
      for (const one of [...this.#stored.untold]) {
        if (failed.has(one.channel) || this.#stopping.signal.aborted) continue;
        try {
          await this.#tell(one);
          this.#cross(one);
        } catch (error) {
          failed.add(one.channel);
          log.warn(
            { err: error, channel: one.channel, part: one.change.part },
            "edge watch: a notice was not delivered",
          );
        }
      }
      if (failed.size === 0) failures = 0;
      else await this.#pause(retryMs[Math.min(failures++, retryMs.length - 1)] ?? 1_000);
    }
  }

  async #tell({ channel, change }: Untold): Promise<void> {
    const { host, ecosystem, channels } = this.#options;
    const { command, cwd, url } = channels();
    const { part, state, seconds, reason } = change;
    const since = new Date(change.sinceMs).toISOString();
    const notice = { host, ecosystem, part, state, since, seconds, reason };
    const body = JSON.stringify(notice);
    if (channel === "url") {
      // Taken out of the settings meanwhile: nobody wants to be told there any more.
      if (url === undefined) return;
      const signal = AbortSignal.timeout(LIMIT_MS);
      const headers = { "content-type": "application/json" };
      const answer = await fetch(url, { method: "POST", body, headers, signal, redirect: "error" });
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`the second channel answered ${answer.status}`);
      return;
    }
    if (command === undefined) return;
    const env = {
      GANGLION_HOST_ID: host,
      GANGLION_EDGE_PART: part,
      GANGLION_EDGE_STATE: state,
      GANGLION_EDGE_SINCE: since,
    };
    const { ending } = await runCommand({ command, cwd, env, input: body, timeoutMs: LIMIT_MS }).result;
    if (ending.kind !== "exited" || ending.code !== 0) throw new Error(`the command ${endingText(ending)}`);
  }

  #cross(told: Untold): void {
    this.#stored = { ...this.#stored, untold: this.#stored.untold.filter((one) => one !== told) };
    this.#write();
  }

  #write(): void {
    const { path, log } = this.#options;
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(`${path}.tmp`, JSON.stringify(this.#stored), { mode: 0o600 });
      renameSync(`${path}.tmp`, path);
    } catch (error) {
      // A full disk keeps nobody from being told now; after a restart it may be told once more.
      log.warn({ err: error }, "edge watch: its file cannot be written");
    }
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      function done() {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      }
      signal.addEventListener("abort", done);
    });
  }
}
