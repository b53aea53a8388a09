import { readSignalLine, signalLine, timestampText } from "../signal-line.ts";
import { hashKey } from "./key-filter.ts";

/** The name of what stands in the place of a signal that was erased. */
export const ERASED_SIGNAL = "Q_ERASED";
/** Its source, which belongs to the edge, and the text in the place of an erased name. */
export const ERASED_NAME = "(erased)";

/** An id that a caller gave may say who he is: a signal that was erased is known by a digest of it. */
const ERASED_ID = "ganglion.erased.";
/** Of an {@link idKey} that is remembered as a digest alone. Without a space behind it, which every other key has. */
const ERASED_KEY = "erased:";

/** The id under which the signal of an erased id is found. */
export function erasedId(id: string): string {
  return isErasedId(id) ? id : ERASED_ID + digest(id);
}

export const isErasedId = (id: string): boolean => id.startsWith(ERASED_ID);

/** What the log remembers of the key of an erased id, so that it recognises the signal when it is sent again. */
export function erasedKey(key: string): string {
  return ERASED_KEY + digest(key);
}

export const isErasedKey = (key: string): boolean => key.startsWith(ERASED_KEY);

/** 64 bits. Both hashes begin differently, so that texts which share one of them differ in the other. */
function digest(text: string): string {
  const halves = [hashKey("id", text), hashKey("cause", text)];
  return halves.map((half) => half.toString(16).padStart(8, "0")).join("");
}

/** Whether a line of the log stands in the place of an erased signal. */
export const isErasedLine = (line: string): boolean =>
  line.includes(`","signal":"${ERASED_SIGNAL}","source":"${ERASED_NAME}","ecosystem":"`);

/**
 * What a line becomes when its signal is erased: the same place and times, and the place in its chain of causes, so that the
 * chains of others hold together. Nothing of what the source said.
 *
 * @param id - its id from now on @param cause - the id of its cause from now on
 */
export function placeholderOf(line: string, id: string, cause: string | undefined): string {
  const { seq, ecosystem, timestamp, received_at, depth, hops } = readSignalLine(line);
  const signal = {
    id,
    signal: ERASED_SIGNAL,
    source: ERASED_NAME,
    timestampMs: undefined,
    factsJson: "{}",
    cause,
    trace: undefined,
    depth,
    hops,
  };
  return signalLine(seq, id, signal, ecosystem, timestamp, received_at);
}

/**
 * Whether a stored line may be what is left of a signal that is sent again: of an erased one only the time is known, of one
 * in which a name was replaced all but its texts.
 *
 * @returns `undefined`: nothing of the line was erased, and it can be compared
 */
export function isRestOf(
  line: string,
  sent: { readonly signal: string; readonly source: string; readonly timestampMs: number | undefined },
): boolean | undefined {
  if (!line.includes(ERASED_NAME)) return undefined;
  const { signal, source, timestamp } = readSignalLine(line);
  const sameTime = sent.timestampMs === undefined || timestamp === timestampText(sent.timestampMs);
  if (signal === ERASED_SIGNAL) return sameTime;
  return sameTime && signal === sent.signal && source === sent.source;
}
