import type { Context } from "hono";
import type { Environment } from "../../bindings/environment.ts";
import { wasReset } from "./refusal.ts";

/** Answers a request: the whole API, as hono's `app.fetch` is. */
export type Answering = (
  request: Request,
  env: Environment,
  ctx: Context["executionCtx"],
) => Response | Promise<Response>;

/**
 * Answers a request. One that changes nothing is tried once more where the platform restarted an object under it, as each
 * deployment does; others say by 503 and `Retry-After` that the caller may try again.
 */
export async function answerTwice(
  fetch: Answering,
  request: Request,
  env: Environment,
  ctx: Context["executionCtx"],
): Promise<Response> {
  const first = await fetch(request, env, ctx);
  if (!wasReset(request) || !changesNothing(request)) return first;
  await first.body?.cancel();
  return fetch(new Request(request), env, ctx);
}

function changesNothing({ method, headers }: Request): boolean {
  return (method === "GET" || method === "HEAD") && !headers.has("upgrade");
}
