import { get } from "node:http";
import { writeDiagnosis } from "./diagnosis.ts";
import { judgeSilence } from "./judge-silence.ts";
import { LoadMeter } from "./load-meter.ts";
import { readThreads } from "./process-load.ts";
import type { EdgeLog } from "./runtime/runtime-log.ts";

/** How often the edge is asked, in milliseconds. */
const INTERVAL_MS = 1_000;
const DEFAULT_SECONDS = 6;
/** A runtime that was started again may take so long until its first answer: it may have a large state to read. */
const START_MS = 30_000;

export interface WatchdogOptions {
  readonly url: string;
  /** How long an edge may give no answer while its runtime does nothing; 0: it is not watched. */
  readonly limitMs: number;
  readonly runtimePid: () => number | undefined;
  /** Where a diagnosis is written before the runtime is killed. */
  readonly directory: string;
  /** The last lines of the log. */
  readonly lines: () => readonly string[];
  readonly log: (entry: EdgeLog) => void;
}

/** `GANGLION_WATCHDOG_SECONDS`, default 6; 0 switches the watchdog off. Throws on anything else that is no such number. */
export function watchdogSeconds(env: NodeJS.ProcessEnv = process.env): number {
  const text = env.GANGLION_WATCHDOG_SECONDS;
  if (text === undefined || text === "") return DEFAULT_SECONDS;
  const seconds = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && (seconds === 0 || (seconds >= 1 && seconds <= 3_600))) return seconds;
  throw new Error(
    `GANGLION_WATCHDOG_SECONDS is "${text}": give the seconds (1 to 3600) after which a runtime that does not answer is ` +
      "started again, or 0 for never",
  );
}

/**
 * Asks the edge each second whether it is alive. A runtime that has not answered for the limit is killed, after what can be
 * found out about it was written down; it is started again at once. Everything that it confirmed is on the disk.
 */
export function startWatchdog(options: WatchdogOptions): { stop(): void } {
  const { url, limitMs, runtimePid, directory, lines, log } = options;
  if (limitMs === 0) return { stop: () => undefined };
  let answeredMs = performance.now();
  let tickedMs = answeredMs;
  let graceMs = 0;
  /** What the runtime has had since the silence began; none where the system does not tell. */
  let metered: { readonly pid: number; readonly meter: LoadMeter | undefined } | undefined;
  const answered = () => {
    answeredMs = performance.now();
    graceMs = 0;
    metered = undefined;
  };

  const tick = () => {
    const nowMs = performance.now();
    // This process was stopped, or the machine slept: the edge had no chance to answer.
    if (nowMs - tickedMs > 3 * INTERVAL_MS) answered();
    tickedMs = nowMs;
    probe(`${url}/healthz`, limitMs, answered);
    const pid = runtimePid();
    if (pid === undefined) return;
    const threads = readThreads(pid);
    if (metered?.pid !== pid) metered = { pid, meter: threads && new LoadMeter(threads, nowMs) };
    // Also before the limit: what a thread had that ends meanwhile would be unknown.
    const load = threads && metered.meter?.look(threads, nowMs);
    const silentMs = nowMs - answeredMs;
    const allowedMs = Math.max(limitMs, graceMs);
    if (silentMs < allowedMs) return;
    const verdict = judgeSilence({ silentMs, limitMs: allowedMs, load });
    if (verdict !== undefined) restart(pid, silentMs, verdict);
  };

  const restart = (pid: number, silentMs: number, reason: string) => {
    const seconds = Math.round(silentMs / 1_000);
    let kept = "";
    try {
      kept = `; what was found out is in ${writeDiagnosis(directory, { pid, silentMs, reason, lines: lines() })}`;
    } catch (error) {
      // A full disk must not keep the edge from being started again.
      kept = `; nothing could be written about it: ${String(error)}`;
    }
    const message = `the runtime (process ${pid}) has not answered for ${seconds} s, ${reason}, and is started again${kept}`;
    log({ level: "error", message });
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      log({ level: "warn", message: `the runtime (process ${pid}) could not be killed: ${String(error)}` });
    }
    answered();
    graceMs = START_MS;
  };

  const timer = setInterval(tick, INTERVAL_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

/** Any answer counts: a runtime that refuses is alive. */
function probe(url: string, timeoutMs: number, answered: () => void): void {
  const request = get(url, { agent: false, timeout: timeoutMs }, (response) => {
    response.resume();
    answered();
  });
  request.on("timeout", () => request.destroy());
  // No answer is what the silence is measured by.
  request.on("error", () => undefined);
}
