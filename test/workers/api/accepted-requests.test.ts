import { describe, expect, it } from "vitest";
import { call, freshEcosystem, post, problemOf } from "./calls.ts";

const observation = { signal: "OBSERVATION", source: "test", facts: { zooid: "z", cpu_percent: 12 } };

async function compressed(
  body: string,
  format: ConstructorParameters<typeof CompressionStream>[0],
): Promise<ArrayBuffer> {
  return new Response(new Response(body).body?.pipeThrough(new CompressionStream(format))).arrayBuffer();
}

const send = (path: string, body: BodyInit, headers: Record<string, string>) =>
  call(path, { method: "POST", body, headers: { "Content-Type": "application/json", ...headers } });

describe("a path with a slash at its end", () => {
  it("is the path without the slash, with the request's body", async () => {
    const eco = freshEcosystem();
    expect((await post(`/v1/${eco}/signals/`, observation)).status).toBe(202);
    expect(await (await call(`/v1/${eco}/signals/?limit=1`)).json()).toMatchObject({ signals: [{ seq: 1 }] });
    expect((await call("/healthz/", { token: null })).status).toBe(200);
  });

  it("is refused with the methods that the path takes", async () => {
    const response = await call("/v1/default/signals/", { method: "DELETE" });
    expect(response.headers.get("allow")?.split(", ").sort()).toEqual(["GET", "HEAD", "POST"]);
    expect(response.status).toBe(405);
  });
});

describe("a compressed body", () => {
  it.each([
    ["gzip", "gzip"],
    ["x-gzip", "gzip"],
    ["GZIP", "gzip"],
    ["identity, gzip", "gzip"],
    ["deflate", "deflate"],
    ["deflate", "deflate-raw"],
  ] as const)("with Content-Encoding %s is taken as %s", async (encoding, format) => {
    const eco = freshEcosystem();
    const body = await compressed(JSON.stringify(observation), format);
    const response = await send(`/v1/${eco}/signals`, body, { "Content-Encoding": encoding });
    expect(await response.json()).toMatchObject({ accepted: 1 });
  });

  it("is taken by every call that reads a body", async () => {
    const eco = freshEcosystem();
    const body = await compressed(JSON.stringify({ recipient: "coder", type: "T", payload: {} }), "gzip");
    const response = await send(`/v1/${eco}/queues/work/tasks`, body, { "Content-Encoding": "gzip" });
    expect(response.status).toBe(202);
  });

  it("is refused where it unpacks to more than a body may take", async () => {
    const bomb = await compressed(`[${" ".repeat(64 * 1024 * 1024)}]`, "gzip");
    expect(bomb.byteLength).toBeLessThan(100_000);
    const refused = await problemOf(await send("/v1/default/signals", bomb, { "Content-Encoding": "gzip" }));
    expect(refused).toMatchObject({ status: 413, max_bytes: 1024 * 1024 });
  });

  it.each([
    ["gzip", "no archive at all"],
    ["deflate", "no archive at all"],
    ["gzip", ""],
  ])("with Content-Encoding %s is refused where it holds %j", async (encoding, body) => {
    const refused = await problemOf(await send("/v1/default/signals", body, { "Content-Encoding": encoding }));
    expect(refused).toMatchObject({ status: 400, type: "/problems/broken-body" });
    expect(refused.detail).toContain(encoding);
  });

  it("that was cut is refused", async () => {
    const body = (await compressed(JSON.stringify([observation, observation]), "gzip")).slice(0, -12);
    const refused = await problemOf(await send("/v1/default/signals", body, { "Content-Encoding": "gzip" }));
    expect(refused).toMatchObject({ status: 400, type: "/problems/broken-body" });
  });

  it.each(["br", "zstd", "gzip, gzip"])(
    "with Content-Encoding %s is refused, and the answer names those accepted",
    async (encoding) => {
      const response = await send("/v1/default/signals", "x", { "Content-Encoding": encoding });
      expect(response.headers.get("accept-encoding")).toBe("gzip, deflate");
      expect((await problemOf(response)).status).toBe(415);
    },
  );
});

describe("lines of signals", () => {
  it.each(["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"])(
    "are taken as %s",
    async (type) => {
      const lines = `${JSON.stringify(observation)}\n${JSON.stringify(observation)}\n`;
      const response = await post(`/v1/${freshEcosystem()}/signals`, lines, { headers: { "Content-Type": type } });
      expect(await response.json()).toMatchObject({ accepted: 2 });
    },
  );
});
