import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type OtlpBox, type ReceivedSpan, spansIn, TraceRequest } from "./otlp-schema.ts";

const MAX_BYTES = 1024 * 1024;
const MAX_SPANS = 512;

/**
 * A real HTTP server that takes OTLP traces as JSON, and is strict about it. What it answers stands in the path:
 * `POST /<box>/429+1,partial,200/v1/traces` answers so, one after the other, the last for good. `429+1` asks to come again
 * after a second, `partial` rejects one span, `hang` gives no answer, `die` ends the connection without taking anything, and
 * `lost` takes the spans and ends the connection. `GET /<box>?spans=n` or `?requests=n` answers when so many are in that box.
 */
export async function startOtlpReceiver(port = 0): Promise<{ url: string; stop: () => Promise<void> }> {
  const boxes = new Map<string, OtlpBox>();
  const watchers = new Set<() => void>();
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://receiver");
    const [, name = "", script = "200"] = pathname.split("/");
    const box = boxes.get(name) ?? { requests: [], spans: [], repeated: 0, invalid: [] };
    boxes.set(name, box);
    if (request.method === "GET") {
      const look = () => {
        if (box.spans.length < Number(searchParams.get("spans") ?? "0")) return;
        if (box.requests.length < Number(searchParams.get("requests") ?? "0")) return;
        watchers.delete(look);
        response.end(JSON.stringify(box));
      };
      watchers.add(look);
      return look();
    }
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The sender was killed in the midst of its request: nothing has arrived.
      return;
    }
    receive(box, { request, pathname, script, body: Buffer.concat(chunks) }, response);
    for (const look of [...watchers]) look();
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Arrived {
  readonly request: IncomingMessage;
  readonly pathname: string;
  readonly script: string;
  readonly body: Buffer;
}

function receive(box: OtlpBox, { request, pathname, script, body }: Arrived, response: ServerResponse): void {
  const answers = script.split(",");
  const answered = answers[Math.min(box.requests.length + 1, answers.length) - 1] ?? "200";
  const spans = readSpans(box, request, body);
  const about = { path: pathname, headers: request.headers, spans: spans.length, bytes: body.length };
  box.requests.push({ ...about, answered });
  if (answered === "hang") return;
  if (answered === "die") return void request.socket.destroy();
  const rejects = answered === "partial" ? 1 : 0;
  if (answered === "200" || answered === "lost" || rejects > 0) take(box, spans.slice(rejects));
  if (answered === "lost") return void request.socket.destroy();
  if (answered === "200" || rejects > 0) {
    const partial = { partialSuccess: { rejectedSpans: String(rejects), errorMessage: "one span has no manners" } };
    response.writeHead(200, { "Content-Type": "application/json" });
    return void response.end(JSON.stringify(rejects > 0 ? partial : {}));
  }
  const [status, retryAfter] = answered.split("+");
  response.writeHead(Number(status), retryAfter === undefined ? {} : { "Retry-After": retryAfter });
  response.end(`{"message":"no, ${request.headers.authorization ?? "nobody"}"}`);
}

function readSpans(box: OtlpBox, request: IncomingMessage, body: Buffer): ReceivedSpan[] {
  if (request.headers["content-type"] !== "application/json") box.invalid.push("the content type is not JSON");
  if (!(request.url ?? "").endsWith("/v1/traces")) box.invalid.push(`no path of OTLP: ${request.url}`);
  if (body.length > MAX_BYTES) box.invalid.push(`a request of ${body.length} bytes`);
  try {
    const spans = spansIn(TraceRequest.parse(JSON.parse(body.toString())));
    if (spans.length > MAX_SPANS) box.invalid.push(`a request of ${spans.length} spans`);
    return spans;
  } catch (error) {
    box.invalid.push(error instanceof Error ? error.message : String(error));
    return [];
  }
}

function take(box: OtlpBox, spans: readonly ReceivedSpan[]): void {
  const known = new Set(box.spans.map(({ spanId }) => spanId));
  for (const span of spans) {
    if (known.has(span.spanId)) box.repeated++;
    else {
      known.add(span.spanId);
      box.spans.push(span);
    }
  }
}
