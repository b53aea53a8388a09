import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const deadLetter = (id: string) => ({
  id,
  kind: "signal",
  signal: { signal: "Q_X" },
  error: "bad facts",
  daemon: "link/gpu-01",
  attempts: 2,
  first_failed_at: "2026-01-01T00:00:00.000Z",
  last_failed_at: "2026-01-01T00:00:01.000Z",
});
const bulk = (more: object) => ({
  dry_run: true,
  matched: 0,
  done: 0,
  failed: [],
  dead_letters: [],
  next: null,
  ...more,
});

describe("ganglion dlq", () => {
  it("lists the dead letters that match its filters, page by page", async () => {
    const edge = await startEdge(({ url }) =>
      url.searchParams.has("after")
        ? [200, { dead_letters: [deadLetter("b")], next: null }]
        : [200, { dead_letters: [deadLetter("a")], next: "7" }],
    );
    const args = ["dlq", "list", "--kind", "signal", "--signal", "Q_*", "--text", "bad", "--url", edge.url];
    const { code, out } = await ganglion(args);
    expect([code, out]).toEqual([0, expect.stringMatching(/signal +a +Q_X +link\/gpu-01 +2 +bad facts\n.* b /s)]);
    expect(edge.received[0]?.url.search).toBe("?kind=signal&signal=Q_*&text=bad&limit=100");
    expect(edge.received[1]?.url.searchParams.get("after")).toBe("7");
    const lines = (await ganglion([...args, "--json"])).out.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(["a", "b"]);
  });

  it("lists the dead letters that a filter selects, and replays them with --yes", async () => {
    const failed = [
      { id: "a", problem: { type: "x", title: "The dead letter cannot be replayed", status: 422, detail: "why" } },
    ];
    const edge = await startEdge(({ body }) =>
      (body as { dry_run: boolean }).dry_run
        ? [200, bulk({ matched: 1, dead_letters: [deadLetter("a")] })]
        : [200, bulk({ dry_run: false, matched: 3, done: 2, failed })],
    );
    const args = ["dlq", "replay", "--daemon", "link/*", "--url", edge.url];
    const dry = await ganglion(args);
    expect([dry.code, dry.out]).toEqual([0, expect.stringContaining("bad facts")]);
    expect(dry.err).toBe("1 would be replayed; add --yes to do it\n");
    const real = await ganglion([...args, "--yes"]);
    expect([real.code, real.out]).toEqual([1, "2 replayed\n"]);
    expect(real.err).toContain("a The dead letter cannot be replayed: why");
    expect(edge.received.map(({ body }) => body)).toEqual([
      { filter: { daemon: "link/*" }, dry_run: true },
      { filter: { daemon: "link/*" }, dry_run: false },
    ]);
  });

  it("replays dead letters by id and reports which failed", async () => {
    const edge = await startEdge(({ url }) =>
      url.pathname.includes("/bad%2F1/")
        ? [409, { type: "x", title: "The replay failed again", status: 409 }]
        : [200, { id: "a", outcome: "replayed" }],
    );
    const both = await ganglion(["dlq", "replay", "a", "bad/1", "--url", edge.url]);
    expect([both.code, both.out]).toEqual([1, "a replayed\n"]);
    expect(both.err).toContain("bad/1 The replay failed again");
  });

  it.each(["--replace", "--mend"])(
    "replays a dead letter with the signal of the file that %s names",
    async (option) => {
      const file = join(tmpdir(), `replacement-${process.pid}.json`);
      writeFileSync(file, '{"signal":"Q_Y","source":"h","facts":{}}');
      const edge = await startEdge(() => [200, { id: "a", outcome: "replayed" }]);
      await ganglion(["dlq", "replay", "a", option, file, "--url", edge.url]);
      expect(edge.received.at(-1)?.body).toEqual({ signal: { signal: "Q_Y", source: "h", facts: {} } });
    },
  );

  it("discards a dead letter and shows one with all fields", async () => {
    const edge = await startEdge(({ method }) => (method === "DELETE" ? [204, {}] : [200, deadLetter("a")]));
    expect((await ganglion(["dlq", "discard", "a", "--url", edge.url])).out).toBe("a discarded\n");
    expect(JSON.parse((await ganglion(["dlq", "show", "a", "--url", edge.url])).out)).toEqual(deadLetter("a"));
  });

  it.each([[["replay"]], [["discard", "a", "--kind", "task"]], [["replay", "a", "b", "--replace", "x.json"]]])(
    "exits with code 2 for incomplete arguments: dlq %j",
    async (args) => expect((await ganglion(["dlq", ...args, "--url", "http://127.0.0.1:1"])).code).toBe(2),
  );
});
