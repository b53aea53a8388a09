import { wasReset } from "./api/http/refusal.ts";
import { inNamedEcosystem } from "./api/queue/other-ecosystem.ts";
import { app } from "./app.ts";
import type { Environment } from "./bindings/environment.ts";
import { countRequest } from "./bindings/worker-counts.ts";

/**
 * Answers a request. One that changes nothing is tried once more where the platform restarted an object under it, as each
 * deployment does; others say by 503 and `Retry-After` that the caller may try again.
 */
export async function answer(incoming: Request, env: Environment, ctx: ExecutionContext): Promise<Response> {
  // The runtime makes a new text at each look at the URL.
  const { url } = incoming;
  const request = inNamedEcosystem(incoming, url);
  const response = await answerTwice(request, env, ctx);
  countRequest(request === incoming ? url : request.url, request, response.status);
  return response;
}

async function answerTwice(request: Request, env: Environment, ctx: ExecutionContext): Promise<Response> {
  const first = await app.fetch(request, env, ctx);
  if (!wasReset(request) || !changesNothing(request)) return first;
  await first.body?.cancel();
  return app.fetch(new Request(request), env, ctx);
}

function changesNothing({ method, headers }: Request): boolean {
  return (method === "GET" || method === "HEAD") && !headers.has("upgrade");
}
