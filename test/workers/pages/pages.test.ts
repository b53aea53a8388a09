import { describe, expect, it } from "vitest";
import { call, problemOf } from "../api/calls.ts";

const open = (path: string, headers: HeadersInit = {}) => call(path, { token: null, headers, redirect: "manual" });
const AS_BROWSER = { Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };

describe("the pages of the dashboard", () => {
  it.each(["/app", "/app/", "/app/queues/work?state=ready"])(
    "%s is a page that may load files of its own origin alone",
    async (path) => {
      const answer = await open(path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(answer.headers.get("content-security-policy")).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; " +
          "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
      );
      const html = await answer.text();
      expect(html).toContain('<script type="module" src="/app/assets/app-1.js">');
      expect(html).toContain('<link rel="stylesheet" href="/app/assets/app-1.css">');
      expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
      expect(html).not.toMatch(/<style|style="|<script>/);
    },
  );

  it("are kept by no cache without asking, are framed by nobody, and tell nobody where they were", async () => {
    const { headers } = await open("/app/");
    expect(Object.fromEntries(headers)).toMatchObject({
      "cache-control": "no-cache",
      "cross-origin-opener-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    });
  });

  it("load files that never change, and are told where a file is gone", async () => {
    const script = await open("/app/assets/app-1.js");
    expect([script.headers.get("content-type"), await script.text()]).toEqual([
      "text/javascript; charset=utf-8",
      "document.title = 'built';",
    ]);
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect((await open("/app/assets/app-1.css")).headers.get("content-type")).toBe("text/css; charset=utf-8");
    for (const name of ["app-0.js", "constructor", "..%2fmanifest.json"]) {
      const gone = await problemOf(await open(`/app/assets/${name}`));
      expect([name, gone.status, gone.detail]).toEqual([name, 404, expect.stringContaining("Load the page again")]);
    }
  });

  it("are where / leads a browser, while programs get what tells them of the API", async () => {
    const browser = await open("/", AS_BROWSER);
    expect([browser.status, browser.headers.get("location")]).toEqual([302, "/app/"]);
    for (const accept of ["*/*", "application/json"]) {
      const program = await open("/", { Accept: accept });
      expect([program.status, await program.text()]).toEqual([200, expect.stringContaining("/openapi.json")]);
    }
  });
});
