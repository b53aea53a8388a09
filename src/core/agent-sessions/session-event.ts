import type { Signal } from "../signals/signal.ts";
import { ORIGINS, type Origin } from "./record.ts";

/** Of a signal in the log, what the state of a session follows from. */
export type SessionLogSignal = Pick<Signal, "signal" | "facts" | "source" | "timestamp" | "received_at" | "trace">;

/** A signal of a session, as its state takes it in. */
export interface SessionEvent {
  readonly signal: string;
  readonly facts: Signal["facts"];
  readonly from: Origin;
  /**
   * When it happened, by the clock of the sender where that can be believed. What one sender says comes in this order, unless
   * a repeated export brings an older part of it.
   */
  readonly atMs: number;
  readonly receivedMs: number;
  readonly trace: string | undefined;
}

/** An event that is older, or of the future, has the time of its receipt: the clock is wrong, or the host was cut off. */
const BELIEVED_MS = 600_000;

export function eventOf({ signal, facts, timestamp, received_at, trace }: SessionLogSignal): SessionEvent {
  const [saidMs, receivedMs] = [Date.parse(timestamp), Date.parse(received_at)];
  const believed = saidMs <= receivedMs && receivedMs - saidMs <= BELIEVED_MS;
  const from = ORIGINS.find((origin) => origin === facts.from) ?? "events";
  return { signal, facts, from, atMs: believed ? saidMs : receivedMs, receivedMs, trace };
}
