import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Bindings } from "../../../src/core/access/bindings.ts";
import { SCOPES, type Scope } from "../../../src/core/access/scopes.ts";
import { ADMIN, call } from "../api/calls.ts";
import { makeToken } from "./tokens-under-test.ts";

/** Who calls, and what the token allows. */
export interface Principal extends Bindings {
  readonly name: string;
  /** The header `Authorization`; `null`: none. */
  readonly authorization: string | null;
  /** `null`: nobody, because the token is not valid. */
  readonly scopes: readonly Scope[] | null;
  /** `others`: other ecosystems than the one that is called. */
  readonly ecosystems: "this" | "others" | "all";
}

/** How many {@link principals} there are. */
export const PRINCIPALS = 27;

/** What every other scope than `admin` allows together. */
const UNPRIVILEGED = SCOPES.filter((scope) => scope !== "admin");

/** Every kind of caller. */
export async function principals(ecosystem: string): Promise<Principal[]> {
  const nobody = (name: string, authorization: string | null): Principal => ({
    name,
    authorization,
    scopes: null,
    ecosystems: "this",
  });
  const some = async (name: string, scopes: readonly Scope[], bindings: Bindings = {}): Promise<Principal> => {
    const { token } = await makeToken(ecosystem, scopes, bindings);
    return { name, authorization: `Bearer ${token}`, scopes, ecosystems: "this", ...bindings };
  };
  const known = await makeToken(ecosystem, UNPRIVILEGED);
  const deleted = await makeToken(ecosystem, SCOPES);
  await call(`/v1/tokens/${deleted.id}`, { method: "DELETE" });
  const expired = await makeToken(ecosystem, SCOPES);
  const directory = env.DIRECTORY.get(env.DIRECTORY.idFromName("directory"));
  await runInDurableObject(directory, (_, { storage: { sql } }) => {
    sql.exec("UPDATE tokens SET expires_at = '2020-01-01T00:00:00.000Z' WHERE id = ?", expired.id);
  });
  const elsewhere = await makeToken(`${ecosystem}-other`, SCOPES);
  return [
    nobody("no token", null),
    nobody("an empty token", "Bearer "),
    nobody("another scheme", "Basic dGhlLWFkbWluaXN0cmF0b3I6"),
    nobody("a malformed token", "Bearer gng_short"),
    nobody("an unknown token", `Bearer gng_${"a".repeat(12)}_${"A".repeat(43)}`),
    nobody("a known token with another secret", `Bearer ${known.token.slice(0, 17)}${"A".repeat(43)}`),
    nobody("a deleted token", `Bearer ${deleted.token}`),
    nobody("an expired token", `Bearer ${expired.token}`),
    ...(await Promise.all(SCOPES.map((scope) => some(`${scope} alone`, [scope])))),
    await some("an agent", ["signals:read", "signals:write", "tasks:work"]),
    await some("a caller of hosts", ["tasks:write", "hosts:command"]),
    await some("all scopes but admin", UNPRIVILEGED),
    await some("bound to another host", UNPRIVILEGED, { hosts: ["other-*"] }),
    await some("bound to another recipient", UNPRIVILEGED, { recipients: ["other-*"] }),
    await some("bound to another source", UNPRIVILEGED, { sources: ["other-*"] }),
    await some("an administrator bound to another host", SCOPES, { hosts: ["other-*"] }),
    { name: "every scope elsewhere", authorization: `Bearer ${elsewhere.token}`, scopes: SCOPES, ecosystems: "others" },
    { name: "ADMIN_TOKEN", authorization: `Bearer ${ADMIN}`, scopes: ["admin"], ecosystems: "all" },
  ];
}
