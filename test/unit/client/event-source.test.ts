import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { createClient } from "../../../src/client/client.ts";

interface Opened {
  readonly after: string | null;
  readonly authorization: string | undefined;
  readonly response: ServerResponse;
}

/** A server of events whose answers the test writes itself. */
async function startEvents() {
  const opened: Opened[] = [];
  const waiting: ((one: Opened) => void)[] = [];
  const server = createServer((request, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.flushHeaders();
    const after = new URL(request.url ?? "", "http://edge").searchParams.get("after");
    const one = { after, authorization: request.headers.authorization, response };
    const wake = waiting.shift();
    if (wake === undefined) opened.push(one);
    else wake(one);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const next = (): Promise<Opened> => {
    const one = opened.shift();
    return one === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(one);
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, next };
}

it("follows server-sent events across lost connections, where no WebSocket can carry the token", async () => {
  const edge = await startEvents();
  const stopping = new AbortController();
  const signals = createClient({ url: edge.url, token: "t" }).follow({ after: 3, signal: stopping.signal });
  const first = signals.next();
  const one = await edge.next();
  expect([one.after, one.authorization]).toEqual(["3", "Bearer t"]);
  // Cut in the middle of an event, as a network does.
  one.response.write("retry: 1000\nid: 3\n\n: keep-alive\n\nid: 4\nda");
  one.response.write('ta: {"seq":4}\n\nid: 9\n\n');
  expect((await first).value).toEqual({ seq: 4 });
  const second = signals.next();
  one.response.destroy();
  const again = await edge.next();
  expect(again.after).toBe("9");
  again.response.write('id: 10\ndata: {"seq":10}\n\n');
  expect((await second).value).toEqual({ seq: 10 });
  const last = signals.next();
  stopping.abort();
  expect(await last).toEqual({ done: true, value: undefined });
});
