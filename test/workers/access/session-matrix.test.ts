import { describe, expect, it } from "vitest";
import { freshEcosystem } from "../api/calls.ts";
import { askRoute, BEGIN, INBOX, MCP, type Route, routes } from "./routes-under-test.ts";
import { beginSession, FROM_PAGE } from "./session-under-test.ts";
import { makeToken } from "./tokens-under-test.ts";

const READING = ["signals:read", "tasks:read"];
/** What a session may do about itself. */
const ABOUT_ITSELF = ["DELETE /v1/sessions/current", "DELETE /v1/sessions/{id}", BEGIN];

// The inbox knows signatures, the MCP server tokens, and neither sessions.
const rows = routes().filter(({ key }) => key !== INBOX && key !== MCP);
const reads = ({ method }: Route) => method === "GET" || method === "HEAD";

/** Calls every route in a session, as a page of the dashboard does but for what `headers` change. @returns routes by status */
async function statuses(cookie: string, headers: Record<string, string | undefined> = {}): Promise<Map<Route, number>> {
  const ecosystem = freshEcosystem();
  const sent = Object.entries({ ...FROM_PAGE, Cookie: cookie, ...headers }).filter(
    (header): header is [string, string] => header[1] !== undefined,
  );
  const found = new Map<Route, number>();
  // The session is ended last.
  const last = rows.filter(({ key }) => key === "DELETE /v1/sessions/current");
  for (const route of [...rows.filter((each) => !last.includes(each)), ...last])
    found.set(route, await askRoute(route, ecosystem, sent));
  return found;
}

const keysOf = (found: Map<Route, number>, matches: (status: number, route: Route) => boolean) =>
  [...found].filter(([route, status]) => matches(status, route)).map(([{ key }, status]) => `${key}: ${status}`);

describe("the matrix of sessions and routes", () => {
  it.each([
    ["an administrator", undefined],
    [
      "a token with every scope",
      ["signals:write", "signals:read", "tasks:write", "tasks:work", "tasks:read", "hosts:command", "policy:write"],
    ],
  ])(
    `a session of %s that only reads changes nothing by any of ${rows.length} routes, and reads what others read`,
    async (_who, scopes) => {
      const token = scopes === undefined ? undefined : (await makeToken("*", scopes)).token;
      const { cookie } = await beginSession(false, token);
      const found = await statuses(cookie);
      const writes = (route: Route) => !reads(route) && !ABOUT_ITSELF.includes(route.key);
      expect(rows.filter(writes).length).toBeGreaterThan(40);
      expect(keysOf(found, (status, route) => writes(route) && status !== 403)).toEqual([]);
      const open = (route: Route) => reads(route) && route.scopes.every((scope) => READING.includes(scope));
      expect(rows.filter(open).length).toBeGreaterThan(20);
      expect(keysOf(found, (status, route) => open(route) && (status === 401 || status === 403))).toEqual([]);
      expect(keysOf(found, (status, route) => reads(route) && !open(route) && status !== 403)).toEqual([]);
    },
  );

  it("a session that may act is let in by every route, as its token is, but makes no codes", async () => {
    const found = await statuses((await beginSession(true)).cookie);
    expect(keysOf(found, (status) => status === 401 || status === 403)).toEqual(["POST /v1/sessions: 403"]);
  });

  it.each<[string, Record<string, string | undefined>]>([
    ["another site", { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" }],
    ["another host of the same site", { "Sec-Fetch-Site": "same-site", Origin: "https://other.edge.test" }],
    ["an address that was typed", { "Sec-Fetch-Site": "none", Origin: undefined }],
    ["an older browser on another site", { "Sec-Fetch-Site": undefined, Origin: "https://evil.example" }],
    ["a sandboxed frame", { "Sec-Fetch-Site": undefined, Origin: "null" }],
    ["who knows what", { "Sec-Fetch-Site": undefined, Origin: undefined }],
  ])("no route counts the cookie that comes with a request of %s", async (_from, headers) => {
    const found = await statuses((await beginSession(true)).cookie, headers);
    const secured = ({ scopes, anyone, key }: Route) => scopes.length > 0 || anyone || key === BEGIN;
    expect(keysOf(found, (status, route) => secured(route) && status !== 403)).toEqual([]);
  });

  it.each<[string, Record<string, string | undefined>]>([
    ["lacks the header of the dashboard", { "Ganglion-Session": undefined }],
    ["is text, as forms send it", { "Content-Type": "text/plain" }],
    ["is what a form sends", { "Content-Type": "application/x-www-form-urlencoded" }],
  ])("no route takes a change that %s", async (_what, headers) => {
    const found = await statuses((await beginSession(true)).cookie, headers);
    expect(keysOf(found, (status, route) => !reads(route) && status !== 403)).toEqual([]);
  });
});
