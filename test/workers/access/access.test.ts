import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { app } from "../../../src/workers/app.ts";
import { ADMIN, call, freshEcosystem, post, problemOf } from "../api/calls.ts";

const signal = { signal: "X", source: "test", facts: {} };

async function makeToken(wanted: Record<string, unknown>): Promise<{ id: string; token: string }> {
  const response = await post("/v1/tokens", { name: "test", scopes: ["signals:read"], ecosystems: ["*"], ...wanted });
  if (response.status !== 201) throw new Error(await response.text());
  return response.json();
}

describe("tokens", () => {
  it.each([
    ["nothing", null],
    ["a wrong word", "the-administratoR"],
    ["an unknown token", `gng_${"a".repeat(12)}_${"A".repeat(43)}`],
  ])("are answered by 401 and the same words for %s", async (_what, token) => {
    const response = await call("/v1/default/signals", { token });
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await problemOf(response)).toEqual({
      type: "/problems/unauthenticated",
      title: "A valid token is needed",
      status: 401,
      detail: "Send Authorization: Bearer <token> with a token that is valid.",
    });
  });

  it("are refused with a known id and another secret", async () => {
    const { token } = await makeToken({});
    const forged = `${token.slice(0, 17)}${"A".repeat(43)}`;
    expect((await call("/v1/default/signals", { token: forged })).status).toBe(401);
    expect((await call("/v1/default/signals", { token })).status).toBe(200);
  });

  it("allow the calls of their scopes and no others", async () => {
    const reader = await makeToken({ scopes: ["signals:read"] });
    const writer = await makeToken({ scopes: ["signals:write"] });
    const eco = freshEcosystem();
    expect((await call(`/v1/${eco}/signals`, { token: reader.token })).status).toBe(200);
    expect((await problemOf(await post(`/v1/${eco}/signals`, signal, { token: reader.token }))).status).toBe(403);
    expect((await post(`/v1/${eco}/signals`, signal, { token: writer.token })).status).toBe(202);
    expect((await call(`/v1/${eco}/signals`, { token: writer.token })).status).toBe(403);
    expect((await call("/v1/tokens", { token: writer.token })).status).toBe(403);
    for (const { token } of [reader, writer]) {
      const link = await call(`/v1/${eco}/link?host=h`, { token, headers: { Upgrade: "websocket" } });
      expect(link.status).toBe(403);
    }
  });

  it("allow the ecosystems that they name and no others", async () => {
    const { token } = await makeToken({ ecosystems: ["mine"] });
    expect((await call("/v1/mine/signals", { token })).status).toBe(200);
    expect((await problemOf(await call("/v1/yours/signals", { token }))).type).toBe("/problems/no-ecosystem");
  });

  it("cannot be created by an administrator of one ecosystem", async () => {
    const { token } = await makeToken({ scopes: ["admin"], ecosystems: ["mine"] });
    const wanted = { name: "more", scopes: ["admin"], ecosystems: ["*"] };
    expect((await post("/v1/mine/signals", signal, { token })).status).toBe(202);
    expect((await post("/v1/tokens", wanted, { token })).status).toBe(403);
  });

  it("show their secret once and are listed without it", async () => {
    const { id, token } = await makeToken({ name: "shown once", expires_at: 4102444800 });
    const list = await (await call("/v1/tokens")).text();
    expect(list).not.toContain(token.slice(17));
    const { tokens } = JSON.parse(list) as { tokens: { id: string }[] };
    expect(tokens.find((listed) => listed.id === id)).toEqual({
      id,
      name: "shown once",
      scopes: ["signals:read"],
      ecosystems: ["*"],
      expires_at: "2100-01-01T00:00:00.000Z",
      created_at: expect.any(String),
    });
  });

  it("stop working when deleted or expired", async () => {
    const { id, token } = await makeToken({});
    expect((await call("/v1/default/signals", { token })).status).toBe(200);
    expect((await call(`/v1/tokens/${id}`, { method: "DELETE" })).status).toBe(204);
    expect((await call("/v1/default/signals", { token })).status).toBe(401);
    expect((await problemOf(await call(`/v1/tokens/${id}`, { method: "DELETE" }))).status).toBe(404);
    const expiring = await makeToken({});
    const directory = env.DIRECTORY.get(env.DIRECTORY.idFromName("directory"));
    await runInDurableObject(directory, (_, { storage }) => {
      storage.sql.exec("UPDATE tokens SET expires_at = '2020-01-01T00:00:00.000Z' WHERE id = ?", expiring.id);
    });
    expect((await call("/v1/default/signals", { token: expiring.token })).status).toBe(401);
  });

  it.each([
    [{ scopes: ["signals:erase"] }, "/scopes/0"],
    [{ scopes: [] }, "/scopes"],
    [{ ecosystems: ["Not A Name"] }, "/ecosystems/0"],
    [{ expires_at: "soon" }, "/expires_at"],
    [{ secret: "mine" }, "/secret"],
  ])("are refused with a pointer to the invalid field of %j", async (change, pointer) => {
    const wanted = { name: "n", scopes: ["admin"], ecosystems: ["*"], ...change };
    const refused = await problemOf(await post("/v1/tokens", wanted));
    expect(refused).toMatchObject({ status: 422, errors: [{ pointer }] });
  });

  it("are all refused while ADMIN_TOKEN is missing, and readyz reports it", async () => {
    const bare = { ...(env as object), ADMIN_TOKEN: undefined };
    for (const token of ["", "undefined", ADMIN, (await makeToken({})).token]) {
      const response = await app.request(
        "/v1/default/signals",
        { headers: { Authorization: `Bearer ${token}` } },
        bare,
      );
      expect(response.status).toBe(401);
    }
    expect((await app.request("/healthz", {}, bare)).status).toBe(200);
    const ready = await problemOf(await app.request("/readyz", {}, bare));
    expect(ready).toMatchObject({ status: 503, detail: expect.stringContaining("ADMIN_TOKEN") });
  });
});
