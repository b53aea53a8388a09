import type { Context } from "hono";
import { UNAUTHENTICATED } from "../../../core/access/unauthenticated.ts";
import { ExpiringMap } from "../../../core/collections/expiring-map.ts";
import { SOURCE_NAME, type SourceAtDoor } from "../../../core/inbox/source.ts";
import {
  hasToken,
  isGithubWebhook,
  isHmacWebhook,
  isStandardWebhook,
  type SignedRequest,
} from "../../../core/inbox/verify.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory, webhooks } from "../../bindings/objects.ts";
import type { ApiEnv } from "../http/api-env.ts";
import { countFailure } from "../http/attempt-limits.ts";
import { authorised } from "../http/authenticate.ts";
import { Refusal } from "../http/refusal.ts";

/** Requests of one network to one source that an isolate lets in within ten seconds. */
const MAX_REQUESTS = 600;
const WINDOW_MS = 10_000;
const MAX_COUNTED = 10_000;
/** Unknown ecosystems that an isolate looks up within ten seconds: all look-ups end in one object. */
const MAX_LOOKUPS = 100;
const LOOKUPS = "lookups";

const counted = new ExpiringMap<{ requests: number }>(MAX_COUNTED, WINDOW_MS);
/** Ecosystems that exist. One that was deleted meanwhile has no sources. */
const known = new Set<string>();
const unknown = new ExpiringMap<true>(MAX_COUNTED, WINDOW_MS);

/** @throws Refusal 429 where a network sends too much to one source */
export function countRequest(address: string | undefined, ecosystem: string, name: string, nowMs: number): void {
  if (!admits(`${address ?? ""} ${ecosystem}/${name}`, MAX_REQUESTS, nowMs)) throw tooMany();
}

function admits(key: string, limit: number, nowMs: number): boolean {
  const count = counted.get(key, nowMs);
  if (count === undefined) {
    counted.set(key, { requests: 1 }, nowMs);
    return true;
  }
  count.requests++;
  return count.requests <= limit;
}

const tooMany = () =>
  new Refusal(
    problem(
      "too-many-requests",
      429,
      "Too many requests",
      "The source sends too much: try again after `Retry-After`.",
      {
        retry_after_ms: WINDOW_MS,
      },
    ),
    { "Retry-After": String(WINDOW_MS / 1_000) },
  );

/** A source was set: its ecosystem exists from now on. */
export async function noteEcosystem(env: Environment, ecosystem: string): Promise<void> {
  unknown.delete(ecosystem);
  await directory(env).touch(ecosystem, Date.now());
}

/**
 * The source of a name, if there is one. No object of an ecosystem is made for a caller who made the ecosystem's name up: on
 * one machine each is a file.
 */
export async function sourceOf(env: Environment, ecosystem: string, name: string): Promise<SourceAtDoor | null> {
  if (!SOURCE_NAME.test(name) || !(await ecosystemExists(env, ecosystem))) return null;
  return webhooks(env, ecosystem).inboxDoor(name);
}

/** Whether there is an ecosystem of this name, as cheaply as made-up names ask. @throws Refusal 429 */
export async function ecosystemExists(env: Environment, ecosystem: string): Promise<boolean> {
  const nowMs = Date.now();
  if (known.has(ecosystem)) return true;
  if (unknown.has(ecosystem, nowMs)) return false;
  if (!admits(LOOKUPS, MAX_LOOKUPS, nowMs)) throw tooMany();
  if (!(await directory(env).hasEcosystem(ecosystem))) {
    unknown.set(ecosystem, true, nowMs);
    return false;
  }
  if (known.size >= MAX_COUNTED) known.clear();
  known.add(ecosystem);
  return true;
}

/**
 * Lets a request in that its source has proved to be its own. An unknown source and a wrong signature get the same answer,
 * after the same work.
 *
 * @throws Refusal
 */
export async function mustBeVerified(
  c: Context<ApiEnv>,
  source: SourceAtDoor | null,
  request: SignedRequest,
  nowMs: number,
): Promise<SourceAtDoor> {
  if (source?.kind === "none") {
    await authorised(c, ["signals:write"]).catch((error: unknown) => {
      // Who has no token learns nothing of the source.
      throw error instanceof Refusal && error.problem.status === UNAUTHENTICATED.status ? unverified() : error;
    });
    return source;
  }
  if ((await isVerified(source, request, nowMs)) && source !== null) return source;
  const refusal = await countFailure(c.env, c.req.header("cf-connecting-ip"), nowMs);
  throw refusal.problem.status === UNAUTHENTICATED.status ? unverified() : refusal;
}

function isVerified(source: SourceAtDoor | null, request: SignedRequest, nowMs: number): Promise<boolean> {
  const { kind = "standard-webhooks", secrets = [], signature = NO_SIGNATURE } = source ?? {};
  if (kind === "github") return isGithubWebhook(request, secrets);
  if (kind === "hmac") return isHmacWebhook(request, secrets, signature);
  if (kind === "token") return hasToken(request, secrets, signature);
  return isStandardWebhook(request, secrets, nowMs);
}

const NO_SIGNATURE = { header: "" };

const unverified = () =>
  new Refusal(
    problem(
      "unverified",
      401,
      "The request is not verified",
      "There is no source of this name, or the signature is not one of its secret, or not of the last five minutes. " +
        "List the sources (ganglion inbox list), and give the sender the secret and this URL.",
    ),
  );
