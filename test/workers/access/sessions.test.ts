import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Directory } from "../../../src/durable-objects/access/object.ts";
import { forgetSessions } from "../../../src/workers/api/http/check-session.ts";
import { ADMIN, call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { beginSession, exchange, FROM_PAGE, inSession, makeCode } from "./session-under-test.ts";
import { makeToken } from "./tokens-under-test.ts";

function directory() {
  const { DIRECTORY } = env as unknown as { DIRECTORY: DurableObjectNamespace<Directory> };
  return DIRECTORY.get(DIRECTORY.idFromName("directory"));
}

/** Lets time pass for the sessions and codes that are stored, and for what this isolate remembers of them. */
async function passTime(ms: number): Promise<void> {
  await runInDurableObject(directory(), (_, { storage: { sql } }) => {
    sql.exec("UPDATE sessions SET used_ms = used_ms - ?, created_ms = created_ms - ?", ms, ms);
    sql.exec("UPDATE session_codes SET until_ms = until_ms - ?", ms);
  });
  forgetSessions(() => true);
}

const HOURS = 3_600_000;
const streamPath = (eco: string) => `/v1/${eco}/signals/stream`;
const upgrade = { Upgrade: "websocket" };

async function openStream(cookie: string, eco: string) {
  const { webSocket, status } = await inSession({ cookie }, streamPath(eco), { headers: upgrade });
  if (webSocket === null) throw new Error(`the stream answered ${status}`);
  const closed = new Promise<number>((resolve) => webSocket.addEventListener("close", ({ code }) => resolve(code)));
  webSocket.accept();
  return { closed };
}

describe("the code of a session", () => {
  it("is exchanged once, by a page of the edge, for a cookie that no script and no other site gets", async () => {
    const code = await makeCode(false);
    const answer = await exchange({ code });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("set-cookie")).toMatch(
      /^__Host-ganglion=gns_[^;]+; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.text()).not.toContain("gns_");
    expect(await problemOf(await exchange({ code }))).toMatchObject({ type: "/problems/no-such-code", status: 403 });
  });

  it("has the port in the name of its cookie on loopback, where browsers keep no __Host- cookies without TLS", async () => {
    const worker = (await import("cloudflare:workers")).exports as unknown as { default: Fetcher };
    const ask = (path: string, init: RequestInit) =>
      worker.default.fetch(new Request(`http://127.0.0.1:8787${path}`, init));
    const made = await ask("/v1/sessions", {
      method: "POST",
      headers: { Authorization: `Bearer ${ADMIN}`, "Content-Type": "application/json" },
      body: "{}",
    });
    const { code, path } = await made.json<{ code: string; path: string }>();
    expect(path).toBe(`/login#${code}`);
    const own = { ...FROM_PAGE, Origin: "http://127.0.0.1:8787", "Content-Type": "application/json" };
    const begun = await ask("/v1/sessions/current", { method: "POST", headers: own, body: JSON.stringify({ code }) });
    const set = begun.headers.get("set-cookie") ?? "";
    expect(set).toMatch(/^ganglion-8787=gns_[^;]+; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/);
    const current = await ask("/v1/sessions/current", { headers: { ...own, Cookie: set.split(";")[0] ?? "" } });
    expect(current.status).toBe(200);
  });

  it("is good for a minute", async () => {
    const code = await makeCode(false);
    await passTime(60_000);
    expect((await exchange({ code })).status).toBe(403);
  });

  it("leaves in the audit who made it and who began a session with it", async () => {
    const { token, id } = await makeToken("*", ["signals:read"]);
    await beginSession(false, token);
    const { entries } = await (await call(`/v1/audit?by=${id}`)).json<{
      entries: { operation: string; status: number }[];
    }>();
    expect(entries.map(({ operation, status }) => [operation, status])).toEqual([
      ["/v1/sessions/current", 201],
      ["/v1/sessions", 201],
    ]);
  });

  it("is not stored, nor is the secret of a session: digests are", async () => {
    const code = await makeCode(true);
    const { cookie } = await beginSession(true);
    const stored = await runInDurableObject(directory(), (_, { storage: { sql } }) =>
      JSON.stringify([
        sql.exec("SELECT id, hex(digest) FROM session_codes").toArray(),
        sql.exec("SELECT id, hex(digest) FROM sessions").toArray(),
      ]),
    );
    for (const secret of [code, cookie])
      expect(stored).not.toContain(secret.slice(secret.indexOf("_", 5) + 1).slice(13));
  });

  it("is refused where it was made up, is a token, or is of another deployment's", async () => {
    const { token } = await makeToken("*", ["signals:read"]);
    for (const code of ["x", `gnc_${"a".repeat(12)}_${"A".repeat(43)}000000`, token])
      expect([code, (await exchange({ code })).status]).toEqual([code, 403]);
  });

  it("is made of no token without signals:read, and no more than 50 wait", async () => {
    const { token: writer } = await makeToken("*", ["signals:write"]);
    expect((await problemOf(await post("/v1/sessions", {}, { token: writer }))).type).toBe("/problems/no-scope");
    const { token: reader } = await makeToken("*", ["signals:read"]);
    for (let made = 0; made < 50; made++) await makeCode(false, reader);
    const answer = await post("/v1/sessions", {}, { token: reader });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "60"]);
    await answer.body?.cancel();
    expect(await makeCode(false)).toBeTruthy();
  });

  it.each([
    ["both", { code: "x", token: "y" }],
    ["neither", {}],
    ["act beside a code", { code: "x", act: true }],
    ["a field of another name", { code: "x", acts: true }],
  ])("is refused with its fields named where the request has %s", async (_what, start) => {
    expect(await problemOf(await exchange(start))).toMatchObject({ status: 422, type: "/problems/invalid-session" });
  });
});

describe("a token that is pasted", () => {
  it("begins a session as a code does, and is sent back nowhere", async () => {
    const { token, id } = await makeToken("*", ["signals:read", "tasks:write"]);
    const answer = await exchange({ token, act: true });
    const body = await answer.text();
    expect([answer.status, answer.headers.get("set-cookie")]).toEqual([
      201,
      expect.stringContaining("__Host-ganglion=gns_"),
    ]);
    expect(JSON.parse(body)).toMatchObject({ session: { act: true }, scopes: ["signals:read", "tasks:write"] });
    expect(body).not.toContain(token.slice(17));
    const listed = await (await call("/v1/sessions")).json<{ sessions: { token: string }[] }>();
    expect(listed.sessions.map((each) => each.token)).toContain(id);
  });

  it("is refused as any call with it is", async () => {
    expect((await exchange({ token: "gng_short" })).status).toBe(401);
    const { token } = await makeToken("*", ["signals:write"]);
    expect((await problemOf(await exchange({ token }))).type).toBe("/problems/no-scope");
  });
});

describe("a session", () => {
  it("says what it may do: read, or all that its token may", async () => {
    const { token } = await makeToken("mine", ["admin"]);
    const about = async (act: boolean) =>
      (await inSession(await beginSession(act, token), "/v1/sessions/current")).json();
    expect(await about(false)).toMatchObject({
      session: { act: false },
      scopes: ["signals:read", "tasks:read"],
      ecosystems: ["mine"],
    });
    expect(await about(true)).toMatchObject({ session: { act: true }, scopes: ["admin"], ecosystems: ["mine"] });
    expect(await (await call("/v1/sessions/current")).json()).toMatchObject({ session: null, scopes: ["admin"] });
  });

  it("acts in the name of its token, and within what the token is bound to", async () => {
    const eco = freshEcosystem();
    const { token, id } = await makeToken(eco, ["signals:read", "signals:write"], { sources: ["mine"] });
    const session = await beginSession(true, token);
    const emit = (source: string) =>
      inSession(session, `/v1/${eco}/signals`, { method: "POST", body: { signal: "X", source, facts: {} } });
    expect((await emit("mine")).status).toBe(202);
    expect((await emit("other")).status).toBe(403);
    const { sessions } = await (await call("/v1/sessions")).json<{ sessions: { id: string; token: string }[] }>();
    expect(sessions.find((each) => each.id === session.id)).toMatchObject({ token: id, token_name: "t", act: true });
  });

  it.each([
    ["12 hours without a call", 12 * HOURS, 401],
    ["12 hours without a call, but not before", 11.9 * HOURS, 200],
  ])("ends after %s", async (_when, ms, status) => {
    const session = await beginSession(false);
    await passTime(ms);
    expect((await inSession(session, "/v1/sessions/current")).status).toBe(status);
  });

  it("ends after 7 days, however often it is used", async () => {
    const session = await beginSession(false);
    for (let hours = 0; hours < 7 * 24 - 8; hours += 8) {
      await passTime(8 * HOURS);
      expect((await inSession(session, "/v1/sessions/current")).status).toBe(200);
    }
    await passTime(8 * HOURS);
    expect((await inSession(session, "/v1/sessions/current")).status).toBe(401);
  });

  it("ends with its token, and its stream with it", async () => {
    const eco = freshEcosystem();
    const { token, id } = await makeToken(eco, ["signals:read"]);
    const session = await beginSession(false, token);
    const stream = await openStream(session.cookie, eco);
    await call(`/v1/tokens/${id}`, { method: "DELETE" });
    expect(await stream.closed).toBe(1008);
    expect((await inSession(session, `/v1/${eco}/signals`)).status).toBe(401);
  });

  it("ends when it signs out, its own stream with it and no other", async () => {
    const eco = freshEcosystem();
    const { token } = await makeToken(eco, ["signals:read"]);
    const [session, other] = [await beginSession(false, token), await beginSession(false, token)];
    const [stream, remaining] = [await openStream(session.cookie, eco), await openStream(other.cookie, eco)];
    const left = await inSession(session, "/v1/sessions/current", { method: "DELETE" });
    expect([left.status, left.headers.get("set-cookie")]).toEqual([
      204,
      "__Host-ganglion=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure",
    ]);
    expect(await stream.closed).toBe(1008);
    expect((await inSession(session, `/v1/${eco}/signals`)).status).toBe(401);
    expect((await inSession(other, `/v1/${eco}/signals`)).status).toBe(200);
    expect(await Promise.race([remaining.closed, inSession(other, "/v1/sessions/current")])).toMatchObject({
      status: 200,
    });
  });

  it("that was idle for too long is told to the minute's round, which closes its streams", async () => {
    const session = await beginSession(false);
    await passTime(12 * HOURS);
    const nowMs = Date.now();
    const ended = await directory().ended(nowMs - 600_000, nowMs + 1);
    expect(ended).toContainEqual({ id: session.id, ecosystems: ["*"] });
  });

  it("ends when ADMIN_TOKEN is replaced", async () => {
    const { cookie } = await beginSession(false);
    const { app } = await import("../../../src/workers/app.ts");
    const ask = (ADMIN_TOKEN: string) =>
      app.request(
        "https://edge.test/v1/sessions/current",
        { headers: { ...FROM_PAGE, Cookie: cookie } },
        { ...env, ADMIN_TOKEN },
      );
    expect((await ask("another")).status).toBe(401);
    expect((await ask(ADMIN)).status).toBe(200);
  });

  it("is not a token, and a token is not a session", async () => {
    const { cookie } = await beginSession(true);
    const secret = cookie.slice(cookie.indexOf("=") + 1);
    expect((await call("/v1/sessions/current", { token: secret })).status).toBe(401);
    const { token } = await makeToken("*", ["signals:read"]);
    expect((await inSession({ cookie: `__Host-ganglion=${token}` }, "/v1/sessions/current")).status).toBe(401);
  });

  it("does not count beside a token in the header, which decides", async () => {
    const { cookie } = await beginSession(true);
    const answer = await inSession({ cookie }, "/v1/sessions/current", { headers: { Authorization: "Bearer wrong" } });
    expect(answer.status).toBe(401);
  });

  it("is one of 50 at most of a token: one more ends that which was unused for longest", async () => {
    const { token } = await makeToken("*", ["signals:read"]);
    const first = await beginSession(false, token);
    await passTime(1_000);
    for (let begun = 0; begun < 50; begun++) await exchange({ token });
    forgetSessions(() => true);
    expect((await inSession(first, "/v1/sessions/current")).status).toBe(401);
    const { sessions } = await (await call("/v1/sessions", { token })).json<{ sessions: object[] }>();
    expect(sessions).toHaveLength(50);
  });
});

describe("the list of sessions", () => {
  it("shows a token its own, and an administrator those of all", async () => {
    const [mine, other] = [await makeToken("*", ["signals:read"]), await makeToken("*", ["signals:read"])];
    const [session] = [await beginSession(false, mine.token), await beginSession(false, other.token)];
    const list = async (token: string) =>
      (await (await call("/v1/sessions", { token })).json<{ sessions: { id: string; token: string }[] }>()).sessions;
    expect((await list(mine.token)).map(({ id }) => id)).toEqual([session.id]);
    expect((await list(ADMIN)).map(({ token }) => token)).toEqual(expect.arrayContaining([mine.id, other.id]));
  });

  it("is where a token ends its own, and no other's", async () => {
    const [mine, other] = [await makeToken("*", ["signals:read"]), await makeToken("*", ["signals:read"])];
    const session = await beginSession(false, mine.token);
    const end = (token: string) => call(`/v1/sessions/${session.id}`, { method: "DELETE", token });
    expect((await end(other.token)).status).toBe(404);
    expect((await end(mine.token)).status).toBe(204);
    expect((await end(mine.token)).status).toBe(404);
    expect((await inSession(session, "/v1/sessions/current")).status).toBe(401);
  });

  it("lets a session that only reads end itself, and no other of its token", async () => {
    const { token } = await makeToken("*", ["signals:read"]);
    const [own, other] = [await beginSession(false, token), await beginSession(true, token)];
    const end = (id: string) => inSession(own, `/v1/sessions/${id}`, { method: "DELETE" });
    expect((await problemOf(await end(other.id))).type).toBe("/problems/only-reads");
    expect((await end(own.id)).status).toBe(204);
  });
});

describe("a WebSocket with the cookie of a session", () => {
  it.each<[string, Record<string, string>]>([
    ["another origin", { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" }],
    ["another port", { Origin: "https://edge.test:8443", "Sec-Fetch-Site": "same-site" }],
    ["another origin, of a browser that says no more", { Origin: "https://evil.example" }],
    ["nobody knows where", { "Sec-Fetch-Site": "same-origin" }],
  ])("is not opened for a page of %s", async (_from, headers) => {
    const { cookie } = await beginSession(true);
    const answer = await call(streamPath("default"), {
      token: null,
      headers: { ...headers, ...upgrade, Cookie: cookie },
    });
    expect((await problemOf(answer)).type).toBe("/problems/foreign-page");
  });

  it("is opened for a page of the edge, without headers that a browser cannot add", async () => {
    const { cookie } = await beginSession(false);
    const headers = { Origin: "https://edge.test", ...upgrade, Cookie: cookie };
    const { webSocket } = await call(streamPath("default"), { token: null, headers });
    webSocket?.accept();
    webSocket?.close(1000);
    expect(webSocket).not.toBeNull();
  });
});
