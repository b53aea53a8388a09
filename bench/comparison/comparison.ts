import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Report, rounded } from "../figure.ts";
import { APPENDFSYNC, installClients, startRedis } from "./servers.ts";
import { singleHeap } from "./single-heap.ts";

const run = promisify(execFile);

interface Found {
  readonly pickup: { readonly median: number; readonly p99: number };
  readonly one: { readonly median: number; readonly p99: number };
  readonly many: { readonly perSecond: number; readonly p99: number };
  readonly through: { readonly perSecond: number };
}

/** What others do on this machine, in the same run: BullMQ on a Redis that writes as durably, and the old single heap. */
export async function comparison(report: Report): Promise<void> {
  singleHeap(report);
  try {
    await installClients();
  } catch (error) {
    return skip(`BullMQ could not be installed: ${String(error).split("\n", 1)[0]}`);
  }
  const redis = await startRedis();
  if (redis === undefined) return skip("redis-server is not installed");
  const { port, stop } = redis;
  try {
    const script = join(import.meta.dirname, "bullmq.mjs");
    const { stdout } = await run(process.execPath, [script, String(port)], { timeout: 180_000 });
    const { pickup, one, many, through } = JSON.parse(stdout) as Found;
    const say = (figure: string, value: number, unit: string, more: object = {}) =>
      report({
        bench: "queue",
        figure: `bullmq_${figure}`,
        value: rounded(value),
        unit,
        appendfsync: APPENDFSYNC,
        ...more,
      });
    say("pickup", pickup.median, "ms", { p99_ms: rounded(pickup.p99) });
    say("call_round_trip", one.median, "ms", { p99_ms: rounded(one.p99) });
    say("calls_32_at_once", many.perSecond, "calls/s", { p99_ms: rounded(many.p99) });
    say("tasks_through_4_workers", through.perSecond, "tasks/s");
  } finally {
    await stop();
  }
}

const skip = (reason: string): void => console.error(`BullMQ is not compared with: ${reason}`);
