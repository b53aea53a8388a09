import { createServer } from "node:http";

/** Takes webhooks at `/ok` and refuses them for good at `/gone`. */
export async function startWebhookReceiver(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    request.resume();
    response.statusCode = request.url === "/gone" ? 410 : 204;
    response.end();
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (typeof address === "object" && address !== null) resolve(address.port);
      else reject(new Error("the receiver of webhooks has no port"));
    });
  });
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}
