import { answerTwice } from "./api/http/answer-twice.ts";
import { inNamedEcosystem } from "./api/queue/other-ecosystem.ts";
import { app } from "./app.ts";
import type { Environment } from "./bindings/environment.ts";
import { countRequest } from "./bindings/worker-counts.ts";

/** Answers a request of the outside, and counts it. */
export async function answer(incoming: Request, env: Environment, ctx: ExecutionContext): Promise<Response> {
  // The runtime makes a new text at each look at the URL.
  const { url } = incoming;
  const request = inNamedEcosystem(incoming, url);
  const response = await answerTwice(app.fetch, request, env, ctx);
  countRequest(request === incoming ? url : request.url, request, response.status);
  return response;
}
