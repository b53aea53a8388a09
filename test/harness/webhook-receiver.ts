import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ReceivedMessage } from "../provided-context.ts";

/**
 * A real HTTP server that takes webhooks. What it answers stands in the path: `POST /<box>/500,410,200` answers so, one
 * after the other, the last for good; `hang` gives no answer. `GET /<box>?count=n` answers when n messages are in that
 * box, with all of them. A third part, `allow-120`, allows 120 messages a minute to one who asks by OPTIONS; who asks is in
 * the box `<box>.asked`.
 */
export async function startReceiver(): Promise<{ url: string; stop: () => Promise<void> }> {
  const boxes = new Map<string, ReceivedMessage[]>();
  const watchers = new Set<() => void>();
  const boxOf = (name: string) => {
    const box = boxes.get(name) ?? [];
    boxes.set(name, box);
    return box;
  };
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://receiver");
    const [, name = "", script = "200", allow = ""] = pathname.split("/");
    const box = boxOf(name);
    if (request.method === "OPTIONS") {
      boxOf(`${name}.asked`).push({ headers: request.headers, body: "" });
      for (const look of [...watchers]) look();
      const [, rate] = /^allow-(.+)$/.exec(allow) ?? [];
      if (rate === undefined) return response.writeHead(405).end();
      const origin = request.headers["webhook-request-origin"] ?? "";
      return response.writeHead(200, { "WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": rate }).end();
    }
    if (request.method === "GET") {
      const look = () => {
        if (box.length < Number(searchParams.get("count") ?? "0")) return;
        watchers.delete(look);
        response.end(JSON.stringify(box));
      };
      watchers.add(look);
      return look();
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    box.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    for (const look of [...watchers]) look();
    const answers = script.split(",");
    const answer = answers[Math.min(box.length, answers.length) - 1] ?? "200";
    if (answer === "hang") return;
    const [status, retryAfter] = answer.split("+");
    // Some services are called at paths of their own, which name no status.
    response.writeHead(/^[1-5]\d\d$/.test(status ?? "") ? Number(status) : 200, {
      ...(retryAfter === undefined ? {} : { "Retry-After": retryAfter }),
      ...(status?.startsWith("3") ? { Location: "/elsewhere/200" } : {}),
    });
    response.end("thank you");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
