import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const source = {
  name: "github",
  path: "/v1/default/inbox/github",
  verify: { kind: "github" },
  signal: "X_PUSHED",
  source: "inbox/github",
  description: null,
  created_at: "2026-01-01T00:00:00.000Z",
};

const fileWith = (text: string) => {
  const file = join(mkdtempSync(join(tmpdir(), "ganglion-")), "secret");
  writeFileSync(file, text);
  return file;
};

describe("ganglion inbox", () => {
  it("lists sources as a table, or one a line", async () => {
    const edge = await startEdge(() => [200, { sources: [source] }]);
    const { out } = await ganglion(["inbox", "--url", edge.url]);
    expect(out).toMatch(/github +github +X_PUSHED +inbox\/github +\/v1\/default\/inbox\/github/);
    expect(JSON.parse((await ganglion(["inbox", "list", "--json", "--url", edge.url])).out)).toEqual(source);
  });

  it("sets a source with its map, and shows a generated secret once", async () => {
    const edge = await startEdge(() => [201, { ...source, secret: "whsec_abc" }]);
    const map = ["--where", "body.ok", "--fact", "repo=body.repository.full_name", "--fact", "n=1 == 1"];
    const { out } = await ganglion([
      ...["inbox", "set", "github", "--verify", "github", "--signal", "X_PUSHED", ...map],
      ...["--secret-file", fileWith("a-secret-of-the-repository\n"), "--url", edge.url],
    ]);
    expect(out).toContain("whsec_abc");
    expect(edge.received[0]).toMatchObject({
      method: "PUT",
      body: {
        verify: { kind: "github", secret: "a-secret-of-the-repository" },
        signal: "X_PUSHED",
        map: { where: "body.ok", facts: { repo: "body.repository.full_name", n: "1 == 1" } },
      },
    });
  });

  it("deletes a source, and refuses a secret for one that has none", async () => {
    const edge = await startEdge(() => [204, {}]);
    expect((await ganglion(["inbox", "delete", "github", "--url", edge.url])).out).toContain("github");
    const args = ["inbox", "set", "x", "--verify", "none", "--signal", "X", "--secret-file", fileWith("s")];
    expect((await ganglion([...args, "--url", edge.url])).code).toBe(2);
  });
});

describe("ganglion webhooks add", () => {
  it("sends the format, the template, and headers and keys out of files", async () => {
    const endpoint = {
      id: "a",
      url: "https://x/",
      enabled: true,
      description: null,
      waiting: 0,
      created_at: source.created_at,
    };
    const edge = await startEdge(() => [201, { ...endpoint, format: "slack" }]);
    const run = (...args: string[]) => ganglion(["webhooks", "add", "a", "https://x/", ...args, "--url", edge.url]);
    expect(
      (await run("--format", "slack", "--headers-file", fileWith("X-A: b\nAuthorization: Bearer t\n"))).out,
    ).toContain("slack");
    await run("--format", "pagerduty", "--routing-key-file", fileWith("0123456789abcdef"));
    await run("--template", "notice.title", "--handshake");
    expect(edge.received.map(({ body }) => body)).toMatchObject([
      { format: "slack", headers: { "X-A": "b", Authorization: "Bearer t" } },
      { format: "pagerduty", routing_key: "0123456789abcdef" },
      { template: "notice.title", handshake: true },
    ]);
    expect(await run("--headers-file", fileWith("no header"))).toMatchObject({ code: 2 });
  });
});
