import { describe, expect, it } from "vitest";
import { type Received, startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const ERASURE = {
  id: "e-1",
  state: "running",
  source_sha256: "ab".repeat(32),
  through_seq: 90,
  searched_seq: 40,
  signals: 2,
  rows: 0,
  part: "log",
  began_at: "2026-01-01T00:00:00.000Z",
  done_at: null,
};
const DONE = { ...ERASURE, state: "complete", part: null, signals: 3, rows: 7, done_at: "2026-01-01T00:01:00.000Z" };

const asked = (received: readonly Received[]) =>
  received.map(({ method, url, body }) => [method, url.pathname, ...(body === undefined ? [] : [body])]);

describe("ganglion erase", () => {
  it("counts the signals that would go, part by part, and changes nothing without --yes", async () => {
    const first = { signals: 2, first_at: "2026-01-01T00:00:00.000Z", last_at: "2026-01-02T00:00:00.000Z", next: 50 };
    const edge = await startEdge(({ body }) => [
      200,
      (body as { after: number }).after === 0 ? first : { signals: 0, first_at: null, last_at: null, next: null },
    ]);
    const { out, err } = await ganglion(["erase", "anna", "--url", edge.url]);
    expect(out).toMatch(/signals +2\n/);
    expect(out).toContain("2026-01-02");
    expect(err).toContain("give --yes");
    expect(asked(edge.received)).toEqual([
      ["POST", "/v1/default/erasures", { source: "anna", dry_run: true, after: 0 }],
      ["POST", "/v1/default/erasures", { source: "anna", dry_run: true, after: 50 }],
    ]);
    const json = await ganglion(["erase", "anna", "--json", "--url", edge.url]);
    expect(JSON.parse(json.out)).toMatchObject({ dry_run: true, signals: 2 });
  });

  it("erases with --yes, tells how far it has come, and ends when nothing is left", async () => {
    const answers = [ERASURE, { ...ERASURE, part: "PolicyState" }, DONE];
    const edge = await startEdge(({ method }) => [method === "POST" ? 202 : 200, answers.shift() ?? DONE]);
    const { out, err } = await ganglion(["erase", "anna", "--yes", "--url", edge.url]);
    expect(err).toContain("log: 40 of 90 searched, 2 erased");
    expect(err).toContain("PolicyState");
    expect(out).toMatch(/signals +3\n/);
    expect(out).toContain(DONE.source_sha256);
    expect(asked(edge.received)[0]).toEqual(["POST", "/v1/default/erasures", { source: "anna" }]);
    const json = await ganglion(["erase", "anna", "--yes", "--json", "--url", edge.url]);
    expect(JSON.parse(json.out)).toEqual(DONE);
  });

  it("lists the erasures without a source", async () => {
    const edge = await startEdge(() => [200, { erasures: [DONE] }]);
    expect((await ganglion(["erase", "--url", edge.url])).out).toMatch(/e-1 +complete +3 +7/);
  });
});
