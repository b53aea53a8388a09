import { describe, expect, it } from "vitest";
import { call, freshEcosystem, problemOf } from "./calls.ts";

describe("pages and documents", () => {
  it.each(["/", "/docs", "/openapi.json", "/healthz", "/readyz"])("%s is open to everybody", async (path) => {
    expect((await call(path, { token: null })).status).toBe(200);
  });

  it("shows every call in the reference, on a page that asks nobody else for anything", async () => {
    const { paths } = (await (await call("/openapi.json")).json()) as { paths: Record<string, object> };
    const response = await call("/docs");
    const html = await response.text();
    for (const path of Object.keys(paths)) expect(html).toContain(path);
    expect(response.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  it("gives the glance and every list of an ecosystem where nothing happened yet", async () => {
    const eco = freshEcosystem();
    const bodies = await Promise.all(
      ["signals", "observations", "gaps", "decisions", "dead-letters"].map(async (list) =>
        (await call(`/v1/${eco}/${list}`)).json(),
      ),
    );
    expect(bodies).toEqual([
      { signals: [], next: null },
      { observations: [], window_seconds: 60, size: 0, oldest: null, newest: null },
      { gaps: [] },
      { decisions: [], next: null },
      { dead_letters: [], next: null },
    ]);
    for (const list of ["scanners", "policies"]) {
      expect(await (await call(`/v1/${eco}/${list}`)).json()).toEqual({ [list]: expect.any(Array) });
    }
    expect(await (await call(`/v1/${eco}/status`)).json()).toMatchObject({
      ecosystem: eco,
      log: { head_seq: 0 },
      window: { size: 0 },
      gaps: { open: 0 },
      dead_letters: 0,
      dead_letters_per_1000: null,
    });
  });

  it.each([
    ["/v1/default/gaps?status=closed", "/query/status"],
    ["/v1/default/observations?seconds=3601", "/query/seconds"],
    ["/v1/default/observations?limit=0", "/query/limit"],
    ["/v1/default/decisions?after=%22", "/query/after"],
    ["/v1/Default/gaps", "/path/eco"],
    ["/v1/-/status", "/path/eco"],
  ])("names what is wrong with %s", async (path, pointer) => {
    expect(await problemOf(await call(path))).toMatchObject({ status: 422, errors: [{ pointer }] });
  });

  it("answers 404 to an unknown path, and 405 with what is allowed to a wrong method", async () => {
    expect((await problemOf(await call("/v2/nothing"))).status).toBe(404);
    const response = await call("/v1/default/signals", { method: "DELETE" });
    expect(response.headers.get("allow")?.split(", ").sort()).toEqual(["GET", "HEAD", "POST"]);
    expect((await problemOf(response)).status).toBe(405);
  });

  it("answers HEAD like GET, without a body and without opening a stream", async () => {
    for (const path of ["/v1/default/signals", "/v1/default/signals/stream", "/docs"]) {
      const response = await call(path, { method: "HEAD" });
      expect([response.status, await response.text()]).toEqual([200, ""]);
    }
  });
});
