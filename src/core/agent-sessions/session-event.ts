import type { Signal } from "../signals/signal.ts";
import { ORIGINS, type Origin } from "./record.ts";

/** Of a signal in the log, what the state of a session follows from. */
export type SessionLogSignal = Pick<Signal, "signal" | "facts" | "source" | "timestamp" | "received_at" | "trace">;

/** A signal of a session, as its state takes it in. */
export interface SessionEvent {
  readonly signal: string;
  readonly facts: Signal["facts"];
  readonly from: Origin;
  /** When it happened, as far as the sender's clock can be trusted. */
  readonly sinceMs: number;
  /** By the clock of the sender: for the order of what one sender says. */
  readonly atMs: number;
  readonly receivedMs: number;
  readonly trace: string | undefined;
}

/** An event that is older has the time of its receipt: the clock is wrong, or it comes from a host that was cut off. */
const BELIEVED_MS = 600_000;

export function eventOf({ signal, facts, timestamp, received_at, trace }: SessionLogSignal): SessionEvent {
  const [atMs, receivedMs] = [Date.parse(timestamp), Date.parse(received_at)];
  const believed = atMs <= receivedMs && receivedMs - atMs <= BELIEVED_MS;
  const from = ORIGINS.find((origin) => origin === facts.from) ?? "events";
  return { signal, facts, from, atMs, receivedMs, sinceMs: believed ? atMs : receivedMs, trace };
}
