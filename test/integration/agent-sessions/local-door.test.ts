import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { Agent } from "../../../local-agent/app/agent.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { agentOptions } from "../app/agent-options.ts";
import { FakeEdge } from "../link/fake-edge.ts";

const logs = readFileSync(join(import.meta.dirname, "../../fixtures/telemetry/claude-code-logs.json"), "utf8");
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function listening(directory: string, url: string, more: object = {}) {
  const options = {
    ...agentOptions(directory, url),
    xsub: "tcp://127.0.0.1:1",
    xpub: "tcp://127.0.0.1:2",
    logger: silent,
    sources: [] as const,
    sessions: { port: 0, content: "none" as const },
    ...more,
  };
  const agent = new Agent(options);
  closing.push(() => agent.stop());
  await agent.start();
  const door = agent.status.sources.find(({ name }) => name === "sessions")?.detail ?? "";
  const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(new URL(path, door), { method: "POST", body, headers: { "Content-Type": "application/json", ...headers } });
  return { agent, door, post };
}

describe("the agent's door for telemetry", () => {
  it("keeps what it took while the edge is away, across a restart, and sends each record once", async () => {
    const edge = await FakeEdge.listen();
    closing.push(() => edge.close());
    edge.refuseUpgrade = { status: 503 };
    const directory = temporaryDirectory();
    const first = await listening(directory, edge.url);
    for (let again = 0; again < 3; again++) {
      const answer = await first.post("/v1/logs", gzipSync(logs), { "Content-Encoding": "gzip" });
      expect([answer.status, await answer.json()]).toEqual([200, {}]);
    }
    const hook = {
      session_id: "s",
      hook_event_name: "PermissionRequest",
      tool_name: "Bash",
      tool_input: { a: "secret" },
    };
    const hooked = await first.post("/hooks/claude-code?task=t-17", JSON.stringify(hook));
    expect([hooked.status, await hooked.json()]).toEqual([200, {}]);
    expect(edge.log).toEqual([]);
    await first.agent.stop();
    // What an SDK sends again to the agent that was started again.
    const second = await listening(directory, edge.url);
    await second.post("/v1/logs", gzipSync(logs), { "Content-Encoding": "gzip" });
    edge.refuseUpgrade = undefined;
    await edge.when(() => edge.log.length >= 9);
    const names = edge.log.map(({ signal }) => signal);
    expect(names.filter((name) => name === "Q_SESSION_USAGE")).toHaveLength(2);
    expect(names.at(-1)).toBe("Q_SESSION_PERMISSION_ASKED");
    expect(edge.log.at(-1)).toMatchObject({
      source: "sessions/a",
      facts: { session: "s", task: "t-17", tool: "Bash" },
    });
    expect(names).toHaveLength(9);
    expect(JSON.stringify(edge.log)).not.toContain("secret");
  });

  it("takes nothing from pages of browsers, and says what it takes", async () => {
    const edge = await FakeEdge.listen();
    closing.push(() => edge.close());
    const { door, post } = await listening(temporaryDirectory(), edge.url);
    expect((await post("/v1/logs", logs, { "Content-Type": "text/plain" })).status).toBe(415);
    expect((await fetch(new URL("/v1/logs", door), { method: "OPTIONS" })).status).toBe(405);
    const rebound = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { Host: "evil.example", "Content-Type": "application/json" };
      const sent = request(new URL("/v1/logs", door), { method: "POST", headers }, ({ statusCode }) =>
        resolve(statusCode),
      );
      sent.on("error", reject);
      sent.end(logs);
    });
    expect(rebound).toBe(421);
    const unknown = await post("/v1/profiles", "{}");
    expect([unknown.status, await unknown.json()]).toEqual([
      404,
      { error: "not found: use /v1/logs, /v1/metrics, /v1/traces or /hooks/claude-code" },
    ]);
    const broken = await post("/hooks/claude-code", "{}");
    expect([broken.status, ((await broken.json()) as { error: string }).error]).toEqual([
      400,
      "/session_id: a hook's input names its session: send it unchanged",
    ]);
    const packed = await post("/v1/logs", "no gzip", { "Content-Encoding": "gzip" });
    expect(packed.status).toBe(400);
  });

  it("takes nothing more where the spool is full, so that the sender tries again later", async () => {
    const edge = await FakeEdge.listen();
    closing.push(() => edge.close());
    edge.refuseUpgrade = { status: 503 };
    const { post } = await listening(temporaryDirectory(), edge.url, { spoolMaxBytes: 1_000 });
    expect((await post("/v1/logs", logs)).status).toBe(200);
    const full = await post(
      "/v1/metrics",
      readFileSync(join(import.meta.dirname, "../../fixtures/telemetry/claude-code-metrics-delta.json")),
    );
    expect([full.status, full.headers.get("retry-after")]).toEqual([503, "30"]);
  });
});
