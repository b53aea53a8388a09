import * as z from "zod";
import { writeJson } from "../../src/core/json/write-json.ts";
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
    received.push({ seq, id, signal: name, text: writeJson(signal ?? {}) });
  }
  return { type: "signals", last, signals: received };
}

function isPlace(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
