import { busFrames, type MessageForm } from "../bus-frames.ts";
import type { History, ReplayedSignal } from "./history.ts";

/** Messages, and bytes, in one of several replies. */
const MAX_REPLY = { messages: 1_000, bytes: 1024 * 1024 } as const;

export interface ReplyOptions {
  readonly form: MessageForm;
  /** Whether a program of this host has sent the signal over the bus. */
  readonly isOwn: (signal: ReplayedSignal["signal"]) => boolean;
  /** All in one reply. */
  readonly asOne: boolean;
  readonly nowMs: number;
}

/** The last frame of each reply. Times are seconds since the epoch, as `ts` is. */
interface ReplyEnd {
  /** `more`: another reply follows. */
  readonly replay: "complete" | "truncated" | "more" | "error";
  /** From this time on all messages are there. */
  readonly from?: number;
  readonly until?: number;
  readonly messages?: number;
  readonly error?: string;
}

const endFrame = (end: ReplyEnd): string => JSON.stringify(end);

export const errorReply = (error: string): string[] => [endFrame({ replay: "error", error })];

/** The messages as the bus publishes them, and behind them what of the asked time they are. */
export function repliesOf({ signals, fromMs, truncated }: History, options: ReplyOptions): string[][] {
  const { form, asOne, nowMs } = options;
  const incidents = incidentsOf(signals, options.isOwn);
  const replies: string[][] = [];
  let frames: string[] = [];
  let count = 0;
  let bytes = 0;
  const endReply = (end: ReplyEnd) => {
    replies.push([...frames, endFrame(end)]);
    frames = [];
    count = 0;
    bytes = 0;
  };
  for (const { signal, text } of signals) {
    if (!asOne && (count >= MAX_REPLY.messages || bytes >= MAX_REPLY.bytes)) endReply({ replay: "more" });
    for (const frame of busFrames(form, signal.signal, incidents.get(signal.id) ?? signal.id, text)) {
      frames.push(frame);
      bytes += frame.length;
    }
    count++;
  }
  const times = { from: fromMs / 1_000, until: nowMs / 1_000 };
  endReply({ replay: truncated ? "truncated" : "complete", ...times, messages: signals.length });
  return replies;
}

/**
 * The incidents by which readers know the messages of this host's own programs: those they were sent with, since the
 * messages themselves went over the bus, and not what the log made of them. An incident of several signals tells none of them
 * from the others.
 */
function incidentsOf(signals: readonly ReplayedSignal[], isOwn: ReplyOptions["isOwn"]): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  const incidents = new Map<string, string>();
  for (const { signal } of signals) {
    const incident = signal.facts.incident_id;
    if (typeof incident !== "string" || incident === "") continue;
    counts.set(incident, (counts.get(incident) ?? 0) + 1);
    if (isOwn(signal)) incidents.set(signal.id, incident);
  }
  for (const [id, incident] of incidents) if (counts.get(incident) !== 1) incidents.delete(id);
  return incidents;
}
