import type { Context } from "hono";
import { essenceOf, isJsonType } from "../../../core/cloudevents/media-types.ts";
import { mapRequest, withoutSecrets } from "../../../core/inbox/map-request.ts";
import { JSON_LIMITS } from "../../../core/json/limits.ts";
import type { Appended } from "../../../core/signals/api.ts";
import type { NewSignal } from "../../../core/signals/signal.ts";
import { lineSeq } from "../../../core/signals/signal-line.ts";
import { signalLog } from "../../bindings/objects.ts";
import type { ApiEnv } from "../http/api-env.ts";
import { decode, parseJson, readAnyBytes } from "../http/body.ts";
import { invalid, refusedNow } from "../http/refusal.ts";
import { foreignSignal } from "../signals/body.ts";
import { withTraceOf } from "../signals/trace-context.ts";
import { countRequest, mustBeVerified, sourceOf } from "./door.ts";

const NAMING = { kind: "invalid-webhook", title: "The request cannot become a signal" };

/** Takes a request of a source. @returns `null` where the source's map has no signal for it */
export async function receive(c: Context<ApiEnv>, ecosystem: string, name: string): Promise<Appended | null> {
  const nowMs = Date.now();
  countRequest(c.req.header("cf-connecting-ip"), ecosystem, name, nowMs);
  // Bounded, and the same for whoever sends: nothing of it is read before it is verified.
  const body = await readAnyBytes(c.req.raw);
  const headers = new Map(c.req.raw.headers.entries());
  const source = await mustBeVerified(c, await sourceOf(c.env, ecosystem, name), { headers, body }, nowMs);
  const request = {
    headers: withoutSecrets(headers, source.signature?.header),
    body: readBody(body, headers.get("content-type") ?? ""),
  };
  const mapped = mapRequest(source, request, ecosystem, nowMs);
  if (mapped === "ignored") return null;
  if (!mapped.ok) throw invalid(NAMING.kind, NAMING.title, mapped.errors);
  const [signal = mapped.signal] = withTraceOf(c.req.raw, [mapped.signal]);
  return append(c, ecosystem, signal);
}

/** JSON as what it says, JSON in a form as GitHub may send it, and anything else as its text. */
function readBody(bytes: Uint8Array, type: string): unknown {
  const text = decode(bytes);
  if (essenceOf(type) === "application/x-www-form-urlencoded") {
    const payload = new URLSearchParams(text).get("payload");
    return payload === null ? text : parseJson(payload, NAMING, JSON_LIMITS);
  }
  return type === "" || isJsonType(type) ? parseJson(text, NAMING, JSON_LIMITS) : text;
}

/** Senders repeat a request for a day, and by hand for longer than the log remembers ids: the log is searched for the id. */
async function append(c: Context<ApiEnv>, ecosystem: string, signal: NewSignal): Promise<Appended> {
  const log = signalLog(c.env, ecosystem);
  const { id, source } = signal;
  const before = id === undefined ? undefined : await placeOf(log, id, source);
  if (id !== undefined && before !== undefined)
    return { first_seq: before, last_seq: before, accepted: 0, duplicates: 1, ids: [id] };
  const outcome = await log.append({ owner: `inbox:${source}`, signals: [signal] });
  if ("overloaded" in outcome) throw refusedNow(outcome);
  if ("foreign_id" in outcome)
    throw foreignSignal([{ pointer: "/map/id", message: `${outcome.foreign_id} belongs to a host, or to the log` }]);
  if ("conflict" in outcome) throw new Error("a request without a producer has no numbers");
  return outcome;
}

/** Calls of the log in one search. Each is a bounded read. */
const MAX_CALLS = 4;

/** Where the log holds a signal of this id and source, as far as a search reaches. */
async function placeOf(log: ReturnType<typeof signalLog>, id: string, source: string): Promise<number | undefined> {
  let before = Number.MAX_SAFE_INTEGER;
  for (let calls = 0; calls < MAX_CALLS && before > 0; calls++) {
    const part = await log.findAll(id, { source, before });
    const [line] = part?.lines ?? [];
    if (line !== undefined) return lineSeq(line);
    // Too many searches are running: the log itself knows the ids of the last minutes.
    if (part === null) return undefined;
    before = part.searched_from;
  }
  return undefined;
}
