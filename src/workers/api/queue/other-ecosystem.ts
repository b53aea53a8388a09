/** The path of a call about a queue that is named `<ecosystem>/<queue>`, its slash percent-encoded. */
const OF_OTHER = /^\/v1\/[^/]+\/queues\/([^/%]+)%2[Ff]([^/%]+)(\/.*)?$/;

/**
 * Where a queue is named together with its ecosystem, the call is one about that ecosystem, and is handled as such from the
 * start: the token's rights there count.
 *
 * @param requestUrl - of the request
 */
export function inNamedEcosystem(request: Request, requestUrl: string): Request {
  // Most requests are about no such queue, and need no parsed URL.
  if (!/\/queues\/[^/?]*%2f/i.test(requestUrl)) return request;
  const url = new URL(requestUrl);
  const [, ecosystem, queue, rest = ""] = OF_OTHER.exec(url.pathname) ?? [];
  if (ecosystem === undefined) return request;
  url.pathname = `/v1/${ecosystem}/queues/${queue}${rest}`;
  return new Request(url, request);
}
