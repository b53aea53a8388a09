import { describe, expect, it } from "vitest";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const SINCE = "2026-01-01T00:00:00.000Z";
const HELD = { held: true, name: "a", mode: "exclusive", fence: 7, expires_at: "2026-01-01T00:00:30.000Z" };
const BY = { name: "a", mode: "exclusive", owner: "x", fence: 6, since: SINCE, expires_at: SINCE, task: null };
const NOT_HELD = { held: false, holder: "x", blocked_by: BY };
const LOCK = {
  name: "tree:/srv/**",
  mode: "shared",
  owner: "coder/7",
  fence: 7,
  acquired_at: SINCE,
  expires_at: SINCE,
  ttl_ms: 1_000,
  task: "fix-7",
  owner_process: null,
  waiting: 1,
};
const WAIT = { name: "a", mode: "exclusive", owner: "y", since: SINCE, task: null, blocked_by: BY };

describe("ganglion lock", () => {
  it("acquires under the name of this process, and shows the fence", async () => {
    const { url, received } = await startEdge(() => [200, HELD]);
    const { out, code } = await ganglion(["lock", "acquire", "tree:/srv/**", "--shared", "--ttl", "1m", "--url", url]);
    expect([code, out]).toEqual([0, expect.stringMatching(/^fence +7$/m)]);
    expect(received).toMatchObject([
      {
        method: "POST",
        url: { pathname: "/v1/default/locks/tree%3A%2Fsrv%2F**/acquire" },
        body: { owner: `this-host/${process.pid}`, ttl_ms: 60_000, mode: "shared", wait_ms: 0 },
      },
    ]);
  });

  it("fails where the lock is not to be had, and says who has it", async () => {
    const { url } = await startEdge(() => [200, NOT_HELD]);
    const { code, err } = await ganglion(["lock", "acquire", "a", "--owner", "y", "--url", url]);
    expect([code, err]).toEqual([1, `ganglion: the lock a is not to be had: x holds a since ${SINCE}\n`]);
  });

  it("names the cycle in which a wait is refused", async () => {
    const cycle = [
      { owner: "y", waits_for: "a", held_by: "x" },
      { owner: "x", waits_for: "b", held_by: "y" },
    ];
    const { url } = await startEdge(() => [200, { ...NOT_HELD, cycle }]);
    const { code, err } = await ganglion(["lock", "acquire", "a", "--wait", "1m", "--url", url]);
    expect([code, err]).toEqual([1, expect.stringContaining("y waits for a of x, x waits for b of y")]);
  });

  it("renews and releases by the fence", async () => {
    const { url, received } = await startEdge(({ url: { pathname } }) =>
      pathname.endsWith("renew") ? [200, HELD] : [200, { released: true }],
    );
    await ganglion(["lock", "renew", "a", "--fence", "7", "--ttl", "2m", "--url", url]);
    const { out } = await ganglion(["lock", "release", "a", "--fence", "7", "--json", "--url", url]);
    expect(JSON.parse(out)).toEqual({ released: "a", fence: 7 });
    expect(received.map(({ body }) => body)).toEqual([{ fence: 7, ttl_ms: 120_000 }, { fence: 7 }]);
  });

  it("lists what is held, page by page, and who waits for whom", async () => {
    const { url } = await startEdge(({ url: { searchParams } }) => [
      200,
      searchParams.get("after") === null
        ? { locks: [LOCK], waits: [WAIT], waits_total: 1, next: "7" }
        : { locks: [{ ...LOCK, name: "port:80", fence: 8 }], waits: [WAIT], waits_total: 1, next: null },
    ]);
    const { out } = await ganglion(["lock", "list", "--url", url]);
    expect(out).toMatch(/tree:\/srv\/\*\* +coder\/7 +shared/);
    expect(out).toMatch(/port:80 +coder\/7/);
    expect(out).toMatch(/a +y +waits for x/);
    const { out: lines } = await ganglion(["lock", "--json", "--url", url]);
    expect(lines.trim().split("\n")).toHaveLength(3);
  });

  it("refuses names that are none, and programs that are not there, before it asks", async () => {
    const { url, received } = await startEdge(() => [200, HELD]);
    expect(await ganglion(["lock", "acquire", "a//b", "--url", url])).toMatchObject({
      code: 2,
      err: expect.stringContaining("without //"),
    });
    expect(await ganglion(["lock", "run", "a", "--url", url, "--", "/no/such/program"])).toMatchObject({ code: 2 });
    expect(received).toEqual([]);
  });
});
