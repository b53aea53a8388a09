import { describe, expect, it } from "vitest";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, problemOf } from "../api/calls.ts";

const BATCH = "application/cloudevents-batch+json";
const STRUCTURED = "application/cloudevents+json";

type Headers = Record<string, string>;
interface Listed {
  readonly [attribute: string]: unknown;
}

const send = (eco: string, body: BodyInit | null, headers: Headers, token?: string) =>
  call(`/v1/${eco}/signals`, { method: "POST", body, headers, ...(token === undefined ? {} : { token }) });

/** The events of the log, without what the edge adds. */
async function events(eco: string, query = ""): Promise<Listed[]> {
  const answer = await call(`/v1/${eco}/signals${query}`, { headers: { Accept: BATCH } });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, BATCH]);
  return ((await answer.json()) as Listed[]).map(sent);
}

const sent = (event: Listed): Listed =>
  Object.fromEntries(Object.entries(event).filter(([name]) => !name.startsWith("ganglion")));

const some = {
  specversion: "1.0",
  type: "com.example.someevent",
  time: "2018-04-05T03:56:24.000Z",
  id: "1234-1234-1234",
  source: "/mycontext/subcontext",
};
const binary: Headers = {
  "ce-specversion": "1.0",
  "ce-type": "com.example.someevent",
  "ce-time": "2018-04-05T03:56:24Z",
  "ce-id": "1234-1234-1234",
  "ce-source": "/mycontext/subcontext",
};
const hello = { message: "Hello World!" };
const bytes = new Uint8Array([0, 255, 128, 10]);

describe("CloudEvents over HTTP", () => {
  // Each case of the conformance suite of the HTTP protocol binding, and its neighbours.
  it.each<[string, Headers, BodyInit | null, Listed]>([
    [
      "binary JSON",
      { ...binary, "Content-Type": "application/json" },
      JSON.stringify(hello),
      { ...some, datacontenttype: "application/json", data: hello },
    ],
    [
      "binary JSON with a charset",
      { ...binary, "Content-Type": "application/json; charset=utf-8" },
      `{\n    "message": "Hello World!"\n}`,
      { ...some, datacontenttype: "application/json; charset=utf-8", data: hello },
    ],
    [
      "binary XML",
      { ...binary, "Content-Type": "application/xml" },
      "<much wow='ö'/>",
      { ...some, datacontenttype: "application/xml", data: "<much wow='ö'/>" },
    ],
    [
      "binary text",
      { ...binary, "Content-Type": "text/plain" },
      "Hello",
      { ...some, datacontenttype: "text/plain", data: "Hello" },
    ],
    [
      "binary bytes",
      { ...binary, "Content-Type": "application/octet-stream" },
      bytes,
      { ...some, datacontenttype: "application/octet-stream", data_base64: "AP+ACg==" },
    ],
    [
      "binary text that is no UTF-8",
      { ...binary, "Content-Type": "text/plain" },
      bytes,
      { ...some, datacontenttype: "text/plain", data_base64: "AP+ACg==" },
    ],
    ["binary without data", binary, null, some],
    [
      "binary with encoded attributes",
      {
        ...binary,
        "ce-subject": "Euro%20%E2%82%AC",
        "ce-myext": '"a \\"quoted\\" one"',
        "Content-Type": "application/json",
      },
      "[1]",
      { ...some, subject: "Euro €", myext: 'a "quoted" one', datacontenttype: "application/json", data: [1] },
    ],
    [
      "structured JSON",
      { "Content-Type": STRUCTURED },
      JSON.stringify({ ...some, datacontenttype: "application/json", data: hello }),
      { ...some, datacontenttype: "application/json", data: hello },
    ],
    [
      "structured JSON with a charset",
      { "Content-Type": `${STRUCTURED}; charset=utf-8` },
      JSON.stringify({ ...some, datacontenttype: "application/json", data: hello }),
      { ...some, datacontenttype: "application/json", data: hello },
    ],
    [
      "structured, beside headers of binary mode",
      { ...binary, "ce-id": "other", "Content-Type": "Application/CloudEvents+JSON" },
      JSON.stringify({ ...some, data: 1 }),
      { ...some, datacontenttype: "application/json", data: 1 },
    ],
    [
      "structured bytes",
      { "Content-Type": STRUCTURED },
      JSON.stringify({ ...some, datacontenttype: "image/png", data_base64: "AP+ACg==" }),
      { ...some, datacontenttype: "image/png", data_base64: "AP+ACg==" },
    ],
  ])("take %s, and give the same event back", async (_, headers, body, event) => {
    const eco = freshEcosystem();
    const answer = await send(eco, body, headers);
    expect([answer.status, await answer.json()]).toMatchObject([202, { accepted: 1, ids: ["1234-1234-1234"] }]);
    expect(await events(eco)).toEqual([event]);
    // The same event once more is a duplicate.
    expect(await (await send(eco, body, headers)).json()).toMatchObject({ accepted: 0, duplicates: 1 });
  });

  it("take a batch, whole or not at all, and an empty one; an event without a trace joins that of the request", async () => {
    const eco = freshEcosystem();
    const batch = (list: unknown) => send(eco, JSON.stringify(list), { "Content-Type": BATCH });
    const one = { ...some, datacontenttype: "application/json", data: hello };
    expect(await (await batch([])).json()).toEqual({
      first_seq: null,
      last_seq: null,
      accepted: 0,
      duplicates: 0,
      ids: [],
    });
    const { type: _, ...untyped } = one;
    expect(await problemOf(await batch([one, untyped]))).toMatchObject({
      status: 422,
      errors: [{ pointer: "/1/type" }],
    });
    expect(await events(eco)).toEqual([]);
    expect(await (await batch([one, { ...one, id: "2" }])).json()).toMatchObject({ accepted: 2 });
    expect((await events(eco)).map(({ id }) => id)).toEqual(["1234-1234-1234", "2"]);
    const traces = ["aa", "bb"].map((end) => `00-4bf92f3577b34da6a3ce929d0e0e47${end}-00f067aa0ba902b7-01`);
    const [own, header] = traces;
    const traced = [
      { ...one, id: "3", traceparent: own },
      { ...one, id: "4" },
    ];
    await send(eco, JSON.stringify(traced), { "Content-Type": BATCH, traceparent: header ?? "" });
    expect((await events(eco)).slice(2).map(({ traceparent }) => traceparent)).toEqual(traces);
    expect(await problemOf(await batch(one))).toMatchObject({ status: 422 });
    const many = JSON.stringify(Array.from({ length: 1_001 }, () => 0));
    expect(await problemOf(await send(eco, many, { "Content-Type": BATCH }))).toMatchObject({ status: 413 });
  });

  it.each<[string, Headers, BodyInit, number, string | undefined]>([
    ["of another version", { ...binary, "ce-specversion": "0.3" }, "{}", 422, "/header/ce-specversion"],
    ["without a type", { ...binary, "ce-type": "" }, "{}", 422, "/header/ce-type"],
    ["with an attribute that is no UTF-8", { ...binary, "ce-subject": "%C0%A0" }, "{}", 422, "/header/ce-subject"],
    ["with a name that is none", { ...binary, "ce-my_ext": "1" }, "{}", 422, "/header/ce-my_ext"],
    ["with data that are no JSON", { ...binary, "Content-Type": "application/json" }, "{", 400, undefined],
    [
      "with facts that a known signal does not have",
      { ...binary, "ce-type": "OBSERVATION", "Content-Type": "application/json" },
      "{}",
      422,
      "/zooid",
    ],
    ["with a source of the edge", { ...binary, "ce-source": "ganglion/policy" }, "{}", 403, "/header/ce-source"],
    ["in a format that is not JSON", { "Content-Type": "application/cloudevents+avro" }, "x", 415, undefined],
    ["that takes too much", { ...binary, "Content-Type": "text/plain" }, "x".repeat(65_537), 422, ""],
    [
      "that is too large to read",
      { ...binary, "Content-Type": "text/plain" },
      "x".repeat(1024 * 1024 + 1),
      413,
      undefined,
    ],
  ])("refuse an event %s, and say where", async (_, headers, body, status, pointer) => {
    const refused = await problemOf(await send("default", body, headers));
    expect([refused.status, refused.errors?.[0]?.pointer]).toEqual([status, pointer]);
  });

  it("refuse the source to which a token is not bound, by the attribute", async () => {
    const eco = freshEcosystem();
    const { token } = await makeToken(eco, ["signals:write"], { sources: ["/mine"] });
    const post = (source: string) =>
      send(eco, JSON.stringify({ ...some, source }), { "Content-Type": STRUCTURED }, token);
    expect((await post("/mine")).status).toBe(202);
    expect(await problemOf(await post("/other"))).toMatchObject({ status: 403, errors: [{ pointer: "/source" }] });
  });

  it("come in pages, whose next one a link names", async () => {
    const eco = freshEcosystem();
    const batch = [1, 2, 3].map((id) => ({ ...some, id: String(id), data: { id } }));
    await send(eco, JSON.stringify(batch), { "Content-Type": BATCH });
    const page = async (path: string) => {
      const answer = await call(path, { headers: { Accept: `${BATCH}, application/json;q=0.5` } });
      const [, next] = /^<([^>]*)>; rel="next"$/.exec(answer.headers.get("link") ?? "") ?? [];
      return { ids: ((await answer.json()) as Listed[]).map(({ id }) => id), next };
    };
    const first = await page(`/v1/${eco}/signals?limit=2&signal=com.*&filter=facts.id%20%3E%200`);
    expect(first).toEqual({
      ids: ["1", "2"],
      next: `/v1/${eco}/signals?limit=2&signal=com.*&filter=facts.id+%3E+0&after=2`,
    });
    expect(await page(first.next ?? "")).toEqual({ ids: ["3"], next: undefined });
    const json = await call(`/v1/${eco}/signals`, { headers: { Accept: "application/json, */*;q=0.1" } });
    expect(await json.json()).toMatchObject({ signals: [{ id: "1", signal: "com.example.someevent" }, {}, {}] });
  });

  it("stream one by one, as server-sent events and over a WebSocket", async () => {
    const eco = freshEcosystem();
    const event = { ...some, datacontenttype: "application/json", data: { n: 1 } };
    await send(eco, JSON.stringify(event), { "Content-Type": STRUCTURED });
    const path = `/v1/${eco}/signals/stream?after=0`;
    const stream = await call(path, { headers: { Accept: STRUCTURED } });
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("data:")) text += (await reader?.read())?.value;
    await reader?.cancel();
    const [, id, data = ""] = /id: (\d+)\ndata: (.*)\n\n/.exec(text) ?? [];
    expect([id, sent(JSON.parse(data))]).toEqual(["1", event]);

    const headers = { Upgrade: "websocket", "Sec-WebSocket-Protocol": "cloudevents.json" };
    const { webSocket: socket, headers: answered } = await call(path, { headers });
    expect(answered.get("sec-websocket-protocol")).toBe("cloudevents.json");
    const came: Listed[] = [];
    socket?.addEventListener("message", (message) => {
      came.push(JSON.parse(String(message.data)));
    });
    socket?.accept();
    await send(eco, JSON.stringify({ ...event, id: "2" }), { "Content-Type": STRUCTURED });
    await expect.poll(() => came.map(sent)).toEqual([event, { ...event, id: "2" }]);
    socket?.send(JSON.stringify({ type: "seen", seq: Number(came.at(-1)?.ganglionseq) }));
    socket?.close(1000);
  });

  it("are allowed to a service that asks before it sends, at the rate that it asks for", async () => {
    const ask = (path: string, headers: Headers) => call(path, { method: "OPTIONS", headers, token: null });
    const answer = await ask("/v1/default/signals", {
      "WebHook-Request-Origin": "events.example.com",
      "WebHook-Request-Rate": "120",
    });
    expect([
      answer.status,
      answer.headers.get("webhook-allowed-origin"),
      answer.headers.get("webhook-allowed-rate"),
    ]).toEqual([200, "events.example.com", "120"]);
    expect((await ask("/v1/default/signals", {})).status).toBe(405);
    expect((await ask("/v1/default/policies", { "WebHook-Request-Origin": "events.example.com" })).status).toBe(405);
  });
});
