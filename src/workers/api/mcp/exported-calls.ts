import { ExpiringMap } from "../../../core/collections/expiring-map.ts";
import { CallsUnderWay } from "../../../core/telemetry/calls-under-way.ts";
import type { Payload } from "../../../core/telemetry/span.ts";
import { type ToolCall, traceOfCall, writeToolCall } from "../../../core/telemetry/tool-call-spans.ts";
import { logLine } from "../../../durable-objects/shell/log-line.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory, telemetry } from "../../bindings/objects.ts";

/** What an isolate knows about exports is looked up again after this time. */
const KNOWN_MS = 60_000;
const MOST_ECOSYSTEMS = 1_000;
/** Hand-overs of an isolate at once. */
const MOST_UNDER_WAY = 64;
/** The runtime gives up what a request began after this time. */
const FORGOTTEN_MS = 30_000;

const known = new ExpiringMap<Payload | "off">(MOST_ECOSYSTEMS, KNOWN_MS);
/** Calls that were given up, by ecosystem, until the next hand-over tells of them. */
const dropped = new ExpiringMap<number>(MOST_ECOSYSTEMS, 3_600_000);
const underWay = new CallsUnderWay(MOST_UNDER_WAY, FORGOTTEN_MS);

interface Where {
  readonly env: Environment;
  readonly ecosystem: string;
}

/** A call of a tool that has ended, with what it was given and what came of it. */
export interface EndedCall {
  readonly call: Omit<ToolCall, "input" | "output">;
  readonly args: unknown;
  readonly result: unknown;
}

/**
 * The traceparent of what a call does: below its own span where that is exported, as far as this isolate knows, else the
 * caller's.
 */
export function traceBelow(ecosystem: string, id: string, trace: string | undefined): string | undefined {
  const exports = known.get(ecosystem, Date.now()) ?? "off";
  return exports === "off" ? trace : traceOfCall(id, trace);
}

/**
 * Hands a call over to the export of its ecosystem, where there is one. The caller has its answer by then. Nothing durable tells
 * of the call, so one that is lost with its isolate is not exported; one that is given up here is counted there.
 */
export async function handOver({ env, ecosystem }: Where, ended: EndedCall): Promise<void> {
  const nowMs = Date.now();
  if (known.get(ecosystem, nowMs) === "off") return;
  const end = underWay.begin(nowMs);
  if (end === undefined) return giveUp(ecosystem, 1, nowMs);
  const lost = dropped.get(ecosystem, nowMs) ?? 0;
  dropped.delete(ecosystem);
  try {
    const payload = await payloadOf(env, ecosystem);
    if (payload === "off") return;
    const calls = [writeToolCall(ended.call, ended, payload)];
    const taken = await telemetry(env, ecosystem).takeCalls({ calls, payload, dropped: lost });
    known.set(ecosystem, "off" in taken ? "off" : taken.payload, Date.now());
  } catch (error) {
    giveUp(ecosystem, lost + 1, nowMs);
    logLine("warn", "tool-call-not-exported", { ecosystem, error });
  } finally {
    end();
  }
}

/** The directory knows who exports: the object of an export is called where there is one. */
async function payloadOf(env: Environment, ecosystem: string): Promise<Payload | "off"> {
  const before = known.get(ecosystem, Date.now());
  if (before !== undefined) return before;
  const { exporting } = await directory(env).marked();
  const told = exporting.includes(ecosystem) ? await telemetry(env, ecosystem).sourceExport() : null;
  const payload = told?.payload ?? "off";
  known.set(ecosystem, payload, Date.now());
  return payload;
}

function giveUp(ecosystem: string, count: number, nowMs: number): void {
  dropped.set(ecosystem, (dropped.get(ecosystem, nowMs) ?? 0) + count, nowMs);
}
