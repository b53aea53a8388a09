import { utf8Bytes } from "../signals/limits.ts";
import { agentOf, subjectOf } from "./key.ts";
import { NOTE_LIMITS } from "./limits.ts";
import type { NoteChange } from "./note.ts";

export const NOTE_CHANGED = "Q_NOTE_CHANGED";
const NOTES_SOURCE = "ganglion/notes";

/** The signal about a change: all of them are the history of a note. */
export function changeSignal({ change, key, version, before, by, valueJson, cause }: NoteChange) {
  const { kind } = subjectOf(key);
  const bytes = valueJson === undefined ? 0 : utf8Bytes(valueJson);
  const whole = valueJson !== undefined && bytes <= NOTE_LIMITS.signalBytes;
  const agent = agentOf(key);
  return {
    signal: NOTE_CHANGED,
    source: NOTES_SOURCE,
    facts: {
      key,
      change,
      version,
      before,
      by,
      about: kind,
      ...(agent === undefined ? {} : { agent }),
      ...(whole ? { value: JSON.parse(valueJson) as unknown } : {}),
      ...(valueJson === undefined ? {} : { value_bytes: bytes }),
    },
    ...(cause === undefined ? {} : { cause }),
  };
}
