import { describe, expect, it } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";

const named = (signal: string, n: number) => ({ signal, source: "test", facts: { n } });

/** Reads server-sent events until `count` of them carried data. */
async function readEvents(
  response: Response,
  count: number,
): Promise<{ ids: string[]; signals: { seq: number; signal: string }[] }> {
  if (response.body === null) throw new Error("no body");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const ids: string[] = [];
  const signals: { seq: number; signal: string }[] = [];
  let text = "";
  while (signals.length < count) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const fields = Object.fromEntries(event.split("\n").map((line) => line.split(/: (.*)/s, 2)));
      if (fields.id !== undefined) ids.push(fields.id);
      if (fields.data !== undefined) signals.push(JSON.parse(fields.data));
    }
  }
  await reader.cancel();
  return { ids, signals };
}

describe("GET /signals/stream as server-sent events", () => {
  it("sends what comes, with the sequence number as the id", async () => {
    const eco = freshEcosystem();
    await post(`/v1/${eco}/signals`, named("BEFORE", 0));
    const response = await call(`/v1/${eco}/signals/stream?signal=Q_*`);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    await post(`/v1/${eco}/signals`, [named("OTHER", 1), named("Q_ONE", 2), named("Q_TWO", 3)]);
    const { ids, signals } = await readEvents(response, 2);
    expect(signals.map(({ signal }) => signal)).toEqual(["Q_ONE", "Q_TWO"]);
    expect(ids).toEqual(["1", "3", "4"]);
  });

  it("resumes behind Last-Event-ID, which counts more than ?after=", async () => {
    const eco = freshEcosystem();
    await post(`/v1/${eco}/signals`, [named("A", 1), named("B", 2), named("C", 3)]);
    const resumed = await call(`/v1/${eco}/signals/stream?after=0`, { headers: { "Last-Event-ID": "2" } });
    expect((await readEvents(resumed, 1)).signals).toMatchObject([{ seq: 3, signal: "C" }]);
    const fromStart = await call(`/v1/${eco}/signals/stream?after=0`);
    expect((await readEvents(fromStart, 3)).signals.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it("refuses an id that it never gave", async () => {
    const response = await call("/v1/default/signals/stream", { headers: { "Last-Event-ID": "x" } });
    expect((await problemOf(response)).errors?.[0]?.pointer).toBe("/header/last-event-id");
  });
});

async function firstMessage(response: Response): Promise<unknown> {
  const socket = response.webSocket;
  if (socket === null) throw new Error(`${response.status} is not a WebSocket`);
  const message = new Promise<string>((resolve) =>
    socket.addEventListener("message", ({ data }) => resolve(String(data)), { once: true }),
  );
  socket.accept();
  const data = await message;
  socket.close();
  return JSON.parse(data);
}

const upgrade = { Upgrade: "websocket" };

describe("WebSockets", () => {
  it("streams over a WebSocket when asked to upgrade", async () => {
    const eco = freshEcosystem();
    await post(`/v1/${eco}/signals`, [named("A", 1), named("B", 2)]);
    const response = await call(`/v1/${eco}/signals/stream?after=1&signal=*`, { headers: upgrade });
    expect(response.status).toBe(101);
    expect(await firstMessage(response)).toMatchObject({
      type: "signals",
      last: 2,
      signals: [{ seq: 2, signal: "B" }],
    });
  });

  it("answers 426 to a link that is not a WebSocket", async () => {
    const response = await call("/v1/default/link");
    expect(response.headers.get("upgrade")).toBe("websocket");
    expect((await problemOf(response)).status).toBe(426);
  });

  it("opens a link for a named host, in the version that was agreed", async () => {
    const headers = { ...upgrade, "Sec-WebSocket-Protocol": "ganglion.link.v1" };
    const response = await call("/v1/default/link?host=gpu-01", { headers });
    expect(response.status).toBe(101);
    expect(response.headers.get("sec-websocket-protocol")).toBe("ganglion.link.v1");
    response.webSocket?.accept();
    response.webSocket?.close();
  });

  it("refuses a link without a host, without a token, and in an unknown version", async () => {
    const nameless = await problemOf(await call("/v1/default/link", { headers: upgrade }));
    expect(nameless).toMatchObject({ status: 422, errors: [{ pointer: "/query/host" }] });
    expect((await call("/v1/default/link?host=h", { headers: upgrade, token: null })).status).toBe(401);
    const unknown = { ...upgrade, "Sec-WebSocket-Protocol": "ganglion.link.v9" };
    expect((await problemOf(await call("/v1/default/link?host=h", { headers: unknown }))).status).toBe(400);
  });
});
