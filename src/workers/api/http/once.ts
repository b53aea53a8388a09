import type { Context, Next } from "hono";
import type { Caller } from "../../../core/access/grant.ts";
import { type KeptAnswer, MAX_ANSWER_BYTES, type Settled } from "../../../core/idempotency/api.ts";
import { readIdempotencyKey } from "../../../core/idempotency/key.ts";
import { problem } from "../../../core/problem/problem.ts";
import { utf8Bytes } from "../../../core/signals/limits.ts";
import type { Beginning } from "../../../durable-objects/idempotency/object.ts";
import { hex, sha256, sha256OfBytes } from "../../../durable-objects/shell/digest.ts";
import { logLine } from "../../../durable-objects/shell/log-line.ts";
import { DEPLOYMENT, idempotencyKeys } from "../../bindings/objects.ts";
import type { ApiEnv } from "./api-env.ts";
import { readSentBytes } from "./body.ts";
import { Refusal } from "./refusal.ts";

/** Marks an answer that was given before. */
export const REPLAYED = "Idempotency-Replayed";

/**
 * Runs the rest of a call. A POST with an `Idempotency-Key` runs once: the same request with the same key gets the answer of
 * the first for a day. A request that was refused or failed keeps nothing, and may be sent again.
 *
 * Where the edge ends after a request had its effect and before its answer is kept, the request runs again. What it makes has
 * ids that follow from the key then, so that a signal, a task or a call is not made twice: see {@link repeatable}.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07
 */
export async function once(c: Context<ApiEnv>, caller: Caller, next: Next): Promise<void> {
  const header = c.req.method === "POST" ? c.req.header("idempotency-key") : undefined;
  if (header === undefined) return next();
  const named = readIdempotencyKey(header);
  if (named === undefined) throw refused(400, "invalid-idempotency-key", "The Idempotency-Key is not valid", INVALID);
  const bytes = await readSentBytes(c.req.raw);
  c.req.raw = new Request(c.req.raw, { body: bytes });
  const key = hex(await sha256(`${caller.id}\n${named}`));
  const { pathname, search } = new URL(c.req.url);
  const type = c.req.header("content-type") ?? "";
  const body = hex(await sha256OfBytes(bytes));
  // Of a CloudEvent in binary mode the headers say what the body does not.
  const attributes = [...c.req.raw.headers]
    .filter(([name]) => name.startsWith("ce-"))
    .map((header) => header.join(": "));
  const fingerprint = hex(await sha256([c.req.method, pathname, search, type, body, ...attributes].join("\n")));
  const keys = idempotencyKeys(c.env, c.req.param("eco") ?? DEPLOYMENT);
  const beginning = (await keys.begin({ key, owner: caller.id, fingerprint })) as Beginning;
  if (!("held" in beginning)) {
    c.res = answerOf(beginning);
    return;
  }
  const { held } = beginning;
  c.set("repeatable", key.slice(0, 32));
  // The caller may go meanwhile, and send the request again: the answer is kept all the same.
  const work = settled(c, held, next).finally(() => held[Symbol.dispose]());
  c.executionCtx.waitUntil(work);
  return work;
}

/** Id of what a request with a key makes, the same whenever the request runs; `undefined` for a request without a key. */
export function repeatable(c: Context<ApiEnv>, place = 0): string | undefined {
  const seed = c.get("repeatable");
  return seed === undefined ? undefined : `idem-${seed}-${place}`;
}

type Held = Extract<Beginning, { readonly held: unknown }>["held"];

async function settled(c: Context<ApiEnv>, held: Held, next: Next): Promise<void> {
  await next();
  if (c.res.status >= 400) return;
  const kept = await outcomeOf(c);
  try {
    await held.settle(kept);
  } catch (error) {
    // The request had its effect, and its caller learns of that.
    logLine("error", "answer-not-kept", { error });
  }
}

async function outcomeOf(c: Context<ApiEnv>): Promise<Settled> {
  const { res } = c;
  // What no cache may store holds a secret, of which digests alone are kept.
  if (res.headers.get("cache-control")?.includes("no-store") === true) return { unkept: "secret" };
  const type = res.headers.get("content-type");
  if (res.webSocket != null || type?.startsWith("text/event-stream") === true) return { unkept: "stream" };
  const body = await res.text();
  c.res = new Response(body === "" ? null : body, res);
  return utf8Bytes(body) > MAX_ANSWER_BYTES ? { unkept: "too_large" } : { status: res.status, type, body };
}

function answerOf(beginning: Exclude<Beginning, { readonly held: unknown }>): Response {
  if ("taken" in beginning) throw refused(422, "idempotency-key-reused", "The Idempotency-Key was used", TAKEN);
  if ("running" in beginning)
    throw refused(409, "idempotency-key-running", "The request runs already", RUNNING, { "Retry-After": "1" });
  const { answered } = beginning;
  if ("unkept" in answered) throw refused(409, "answer-not-kept", "The request was answered", UNKEPT[answered.unkept]);
  return replay(answered);
}

function replay({ status, type, body }: KeptAnswer): Response {
  const bodiless = type === null && body === "";
  return new Response(bodiless ? null : body, {
    status,
    headers: { [REPLAYED]: "true", ...(type === null ? {} : { "Content-Type": type }) },
  });
}

const refused = (status: number, kind: string, title: string, detail: string, headers: Record<string, string> = {}) =>
  new Refusal(problem(kind, status, title, detail), headers);

const INVALID =
  "Idempotency-Key is 1 to 255 visible characters, quoted or not, such as a UUID. Make one for each request, and send it again with the same request.";
const TAKEN =
  "Another request had this Idempotency-Key within the last day: its path or its body is not the same. Give each request a key of its own.";
const RUNNING = "The first request with this Idempotency-Key is not answered yet. Send the request again in a second.";
const UNKEPT = {
  secret:
    "The first request with this Idempotency-Key was carried out. Its answer holds a secret, which is stored nowhere: delete what it made, and make it anew with another key.",
  too_large:
    "The first request with this Idempotency-Key was carried out. Its answer was too large to keep: read its result, or send a new request with another key.",
  stream: "The first request with this Idempotency-Key opened a stream, which cannot be given again. Open another one.",
};
