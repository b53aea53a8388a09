import { describe, expect, it } from "vitest";
import { type Answer, startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const note = {
  key: "deploy/freeze",
  value: { until: "monday" },
  version: 7,
  created_at: "2026-01-01T00:00:00.000Z",
  changed_at: "2026-01-01T00:00:01.000Z",
  expires_at: null,
  by: "ops",
};
const stale = (present: object | null): Answer => [
  412,
  { type: "/problems/note-changed", title: "The note has changed", status: 412, note: present },
];

describe("ganglion notes", () => {
  it("makes a note from fields, with its time to live, only where there is none", async () => {
    const edge = await startEdge(() => [201, note]);
    const set = ["notes", "set", "deploy/freeze", "--field", "until=monday", "--create", "--ttl", "1h"];
    const { code, out } = await ganglion([...set, "--url", edge.url]);
    expect([code, out]).toEqual([0, expect.stringMatching(/key +deploy\/freeze\n.*monday.*\n *version +7/)]);
    const [request] = edge.received;
    expect([request?.method, request?.url.pathname, request?.url.search, request?.body]).toEqual([
      "PUT",
      "/v1/default/notes/deploy%2Ffreeze",
      "?ttl_ms=3600000",
      { until: "monday" },
    ]);
  });

  it("merges fields into what another writer wrote meanwhile", async () => {
    const other = { ...note, value: { until: "friday", by: "ada" }, version: 8 };
    const answers: Answer[] = [[200, note], stale(other), [200, { ...other, version: 9 }]];
    const edge = await startEdge(() => answers.shift() ?? [500, {}]);
    const { code } = await ganglion(["notes", "set", "deploy/freeze", '{"open":true}', "--merge", "--url", edge.url]);
    expect(code).toBe(0);
    expect(edge.received.map(({ method, body }) => [method, body])).toEqual([
      ["GET", undefined],
      ["PUT", { until: "monday", open: true }],
      ["PUT", { until: "friday", by: "ada", open: true }],
    ]);
  });

  it("lists all pages, and deletes", async () => {
    const pages: Answer[] = [
      [200, { notes: [note], next: "deploy/freeze" }],
      [200, { notes: [{ ...note, key: "z" }], next: null }],
      [204, undefined],
    ];
    const edge = await startEdge(() => pages.shift() ?? [500, {}]);
    const { out } = await ganglion(["notes", "list", "deploy/", "--url", edge.url]);
    expect(out).toMatch(/KEY.*\n.*deploy\/freeze .*"until":"monday".*\n.*z /);
    expect(edge.received.map(({ url }) => url.searchParams.toString())).toEqual([
      "prefix=deploy%2F&limit=1000",
      "prefix=deploy%2F&after=deploy%2Ffreeze&limit=1000",
    ]);
    expect((await ganglion(["notes", "delete", "z", "--url", edge.url])).out).toMatch(/deleted +z/);
  });

  it("says what is wrong with what was given, before it asks the edge", async () => {
    const tried = async (...args: string[]) => (await ganglion(["notes", ...args, "--url", "http://127.0.0.1:9"])).err;
    expect(await tried("set", "a")).toContain("give the value once");
    expect(await tried("set", "a", "[1]")).toContain("not a JSON object");
    expect(await tried("set", "a", "{}", "--merge", "--create")).toContain("one of --merge");
  });
});
