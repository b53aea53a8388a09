import { parseTimestamp } from "../../src/core/signals/timestamp.ts";

/** `two_frames`: [name, JSON]; `one_frame`: [JSON], for programs that read with `recv_json`. */
export type MessageForm = "two_frames" | "one_frame";

const SCHEMA_VERSION = 1;
/** Where the log writes the time of a signal; names and ids before it hold no quotes, a source may hold escaped ones. */
const TIMESTAMP =
  /^\{(?:"seq":\d+,)?(?:"id":"[^"]*",)?"signal":"[^"]*","source":"(?:[^"\\]|\\.)*",(?:"ecosystem":"[^"]*",)?"timestamp":"([^"]*)"/;

/**
 * The frames in which the agent publishes a signal. Beside the signal's own fields the JSON carries those that older programs
 * read: `ts` in seconds, `schema_version`, and `incident_id`, which is the signal's id, by which their guard against replays
 * drops a signal that is published again after a crash. An incident of the facts would drop other signals about the same one.
 *
 * @param text - the signal as a JSON object
 */
export function busFrames(form: MessageForm, signal: string, id: string, text: string): string[] {
  const ms = parseTimestamp(TIMESTAMP.exec(text)?.[1]);
  const ts = ms === undefined ? "" : `,"ts":${ms / 1000}`;
  const more = `${ts},"schema_version":${SCHEMA_VERSION},"incident_id":${JSON.stringify(id)}}`;
  const message = text.slice(0, text.lastIndexOf("}")) + more;
  return form === "one_frame" ? [message] : [signal, message];
}
