import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { start } from "./ganglion-process.ts";

interface Report {
  readonly ok: boolean;
  readonly ecosystem: string;
  readonly steps: readonly {
    readonly step: string;
    readonly ok: boolean;
    readonly ms: number;
    readonly error?: string;
  }[];
}

let edge: RunningEdge;
beforeAll(async () => {
  edge = await runEdge();
});

function tokenFile(token = edge.token): string {
  const file = join(temporaryDirectory(), "token");
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return file;
}

async function smoke(url: string, token?: string) {
  const { code, out, err } = await start(["smoke", url, "--token-file", tokenFile(token), "--json"]).finished;
  return { code, err, report: JSON.parse(out) as Report };
}

const ecosystems = async () => (await edge.client().ecosystem.list()).map(({ name }) => name);

/** Hands requests on to the edge, and refuses WebSockets, as some proxies do. */
async function proxyWithoutSockets(): Promise<string> {
  const bodyOf = async (request: IncomingMessage) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return chunks.length === 0 ? null : Buffer.concat(chunks);
  };
  const server = createServer(async (request, response) => {
    const { authorization = "", "content-type": type = "application/json" } = request.headers;
    const answer = await fetch(new URL(request.url ?? "/", edge.url), {
      method: request.method ?? "GET",
      headers: { Authorization: authorization, "Content-Type": type },
      body: await bodyOf(request),
    });
    response.writeHead(answer.status, { "Content-Type": answer.headers.get("content-type") ?? "" });
    response.end(await answer.text());
  });
  server.on("upgrade", (_, socket) => socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(() => server.closeAllConnections());
  atEnd(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("ganglion smoke", () => {
  it("emits, follows, decides and leases at a real edge, tells the time of each, and leaves nothing behind", async () => {
    const before = await ecosystems();
    const { code, err, report } = await smoke(edge.url);
    expect([code, err]).toEqual([0, ""]);
    expect(report.ok).toBe(true);
    expect(report.steps.map(({ step }) => step)).toEqual([
      "ready",
      "token",
      "rule",
      "open",
      "emit",
      "follow",
      "decide",
      "lease",
      "finish",
      "delete",
    ]);
    for (const { ok, ms } of report.steps) expect([ok, ms > 0]).toEqual([true, true]);
    expect(await ecosystems()).toEqual(before);
  });

  it("shows people a line for each step", async () => {
    const { code, out } = await start(["smoke", edge.url, "--token-file", tokenFile()]).finished;
    expect(code).toBe(0);
    expect(out).toMatch(
      /^ready +\d+ ms {2}the edge answers.*\n(.*\n)*delete +\d+ ms {2}nothing of the trial is left\n$/,
    );
  });

  it("takes back what it made where a step fails, names the step and ends with 1", async () => {
    const { code, err, report } = await smoke(await proxyWithoutSockets());
    expect(code).toBe(1);
    expect(err).toMatch(/failed at open: .*403/);
    expect(report.steps.map(({ step, ok }) => [step, ok])).toEqual([
      ["ready", true],
      ["token", true],
      ["rule", true],
      ["open", false],
      ["delete", true],
    ]);
    expect(await ecosystems()).not.toContain(report.ecosystem);
  });

  it("makes nothing with a token that could not delete it", async () => {
    const { token } = await edge.client().tokens.create({
      name: "writer",
      scopes: ["signals:write", "signals:read", "policy:write", "tasks:work"],
      ecosystems: ["*"],
    });
    const { code, report } = await smoke(edge.url, token);
    expect(code).toBe(1);
    expect(report.steps.map(({ step, ok }) => [step, ok])).toEqual([
      ["ready", true],
      ["token", false],
    ]);
    expect(report.steps.at(-1)?.error).toContain("admin");
    expect(await ecosystems()).not.toContain(report.ecosystem);
  });

  it("ends with 1 where no edge answers", async () => {
    const { code, err } = await smoke("http://127.0.0.1:9");
    expect(code).toBe(1);
    expect(err).toContain("failed at ready");
  });
});
