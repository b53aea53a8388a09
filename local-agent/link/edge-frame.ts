import * as z from "zod";
import { pruneDeep } from "../../src/core/json/prune-deep.ts";
import { EDGE_FRAME_TYPES, EdgeFrame } from "../../src/core/wire/link-frames.ts";
import { unknownType } from "../../src/core/wire/unknown-types.ts";
import type { Received } from "../store/inbox.ts";

/** A `signals` frame whose signals are ready for the inbox. */
export interface Delivery {
  readonly type: "signals";
  readonly last: number;
  readonly signals: readonly Received[];
}

export type ReadFrame =
  | Delivery
  | Exclude<EdgeFrame, { type: "signals" }>
  /** The edge is newer than this agent. */
  | { readonly type: "unknown"; readonly name: string }
  | { readonly type: "unreadable"; readonly reason: string };

/**
 * Reads a frame from the edge. Deliveries are many, and the log checked their signals when it took them in: only the
 * fields that the agent uses are checked here. The schema reads all other frames.
 */
export function readEdgeFrame(text: string): ReadFrame {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return { type: "unreadable", reason: "not JSON" };
  }
  const delivery = frame as { type?: unknown; last?: unknown; signals?: unknown } | null;
  if (delivery?.type === "signals") return readDelivery(delivery.last, delivery.signals);
  const parsed = EdgeFrame.safeParse(frame);
  const name = parsed.success ? undefined : unknownType(frame, EDGE_FRAME_TYPES);
  if (name !== undefined) return { type: "unknown", name };
  if (!parsed.success) return { type: "unreadable", reason: z.prettifyError(parsed.error).slice(0, 500) };
  if (parsed.data.type === "signals") return { type: "unreadable", reason: "a signals frame of unknown form" };
  return parsed.data;
}

function readDelivery(last: unknown, signals: unknown): ReadFrame {
  if (!isPlace(last)) return { type: "unreadable", reason: "signals frame: last is not a sequence number" };
  if (!Array.isArray(signals)) return { type: "unreadable", reason: "signals frame: signals is not a list" };
  const received: Received[] = [];
  for (const signal of signals as ({ seq?: unknown; id?: unknown; signal?: unknown } | null)[]) {
    const { seq, id, signal: name } = signal ?? {};
    if (!isPlace(seq) || typeof id !== "string" || typeof name !== "string") {
      return { type: "unreadable", reason: "signals frame: a signal lacks seq, id or signal" };
    }
    received.push({ seq, id, signal: name, text: textOf(signal) });
  }
  return { type: "signals", last, signals: received };
}

/** A log may hold signals from before their depth was limited, which cannot be written whole. */
function textOf(signal: unknown): string {
  try {
    return JSON.stringify(signal);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return JSON.stringify(pruneDeep(signal));
  }
}

function isPlace(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
