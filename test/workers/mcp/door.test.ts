import { describe, expect, it } from "vitest";
import { beginSession, FROM_PAGE } from "../access/session-under-test.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, problemOf } from "../api/calls.ts";
import { answerOf, connect } from "./client-under-test.ts";

const REVISION = "2026-07-28";

interface Sent {
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
}

/** A request as the protocol wants it, but for what `headers` change. */
function ask(ecosystem: string, { token, headers = {}, method = "tools/list" }: Sent = {}): Promise<Response> {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": REVISION,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  return call(`/v1/${ecosystem}/mcp`, {
    ...(token === undefined ? {} : { token }),
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      "MCP-Protocol-Version": REVISION,
      "Mcp-Method": method,
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { _meta: meta } }),
  });
}

const raw = (ecosystem: string, body: string) =>
  call(`/v1/${ecosystem}/mcp`, { method: "POST", headers: { "Content-Type": "application/json" }, body });

describe("the door of the MCP server", () => {
  it("asks for a token, names the scopes, and says no error where none was sent", async () => {
    const none = await ask(freshEcosystem(), { token: null });
    expect(none.headers.get("www-authenticate")).toMatch(/^Bearer scope="signals:write signals:read .*policy:write"$/);
    expect(await problemOf(none)).toMatchObject({ status: 401, type: "/problems/unauthenticated" });
    const wrong = await ask(freshEcosystem(), { token: "gng_wrong" });
    expect([wrong.status, wrong.headers.get("www-authenticate")]).toEqual([
      401,
      expect.stringMatching(/^Bearer error="invalid_token", scope="signals:write /),
    ]);
  });

  it("takes no session of a browser", async () => {
    const { cookie } = await beginSession(true);
    expect((await ask(freshEcosystem(), { token: null, headers: { ...FROM_PAGE, Cookie: cookie } })).status).toBe(401);
  });

  it("is closed to tokens of other ecosystems, which it does not begin", async () => {
    const { token } = await makeToken(freshEcosystem(), ["signals:read"]);
    expect(await problemOf(await ask(freshEcosystem(), { token }))).toMatchObject({ type: "/problems/no-ecosystem" });
    const named = freshEcosystem();
    expect((await ask(named)).status).toBe(200);
    const { ecosystems } = await (await call("/v1/ecosystems")).json<{ ecosystems: { name: string }[] }>();
    expect(ecosystems.map(({ name }) => name)).not.toContain(named);
  });

  it.each([
    ["of another origin", { Origin: "https://evil.example" }, 403],
    ["of a sandboxed frame", { Origin: "null" }, 403],
    ["of its own origin", { Origin: "https://edge.test" }, 200],
  ])("lets in a page %s, or does not", async (_page, headers, status) => {
    expect((await ask(freshEcosystem(), { headers })).status).toBe(status);
  });

  it.each(["GET", "DELETE", "PUT"])("accepts POST alone, and not %s", async (method) => {
    const answer = await call(`/v1/${freshEcosystem()}/mcp`, { method });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
  });

  it("answers by the codes of the protocol what is no request of it", async () => {
    const ecosystem = freshEcosystem();
    const codeOf = async (answer: Response) => {
      const { error } = await answer.json<{ error: { code: number } }>();
      return [answer.status, error.code];
    };
    expect(await codeOf(await raw(ecosystem, "{"))).toEqual([400, -32_700]);
    expect(await codeOf(await raw(ecosystem, "[]"))).toEqual([400, -32_600]);
    expect(await codeOf(await raw(ecosystem, '{"a":1,"a":2}'))).toEqual([400, -32_600]);
    expect(await codeOf(await ask(ecosystem, { headers: { "Mcp-Method": "tools/call" } }))).toEqual([400, -32_020]);
    expect(await codeOf(await ask(ecosystem, { headers: { "MCP-Protocol-Version": "2099-01-01" } }))).toEqual([
      400, -32_020,
    ]);
    expect(await codeOf(await ask(ecosystem, { method: "nothing/such" }))).toEqual([404, -32_601]);
  });

  it("takes JSON alone, and no more than other calls", async () => {
    const ecosystem = freshEcosystem();
    const text = await call(`/v1/${ecosystem}/mcp`, {
      method: "POST",
      headers: { "Content-Type": "text/plain" },
      body: "{}",
    });
    expect(text.status).toBe(415);
    expect((await raw(ecosystem, `{"a":"${"x".repeat(1024 * 1024)}"}`)).status).toBe(413);
  });

  it("tells clients how long a list of tools holds, and that it is theirs alone", async () => {
    const { result } = await (await ask(freshEcosystem())).json<{ result: Record<string, unknown> }>();
    expect(result).toMatchObject({ resultType: "complete", cacheScope: "private", ttlMs: 300_000 });
  });

  it("leaves to the audit what its tools change, and nothing of its own", async () => {
    const ecosystem = freshEcosystem();
    const client = await connect(ecosystem);
    await answerOf(client, "emit_signal", { signal: "X", source: "me", facts: {} });
    await client.callTool({ name: "replay_dead_letter", arguments: { id: "none" } });
    const { entries } = await (await call(`/v1/${ecosystem}/audit`)).json<{ entries: { operation: string }[] }>();
    expect(entries.map(({ operation }) => operation)).toEqual(["/v1/{eco}/dead-letters/{id}/replay"]);
  });
});
