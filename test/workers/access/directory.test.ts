import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { parseToken } from "../../../src/core/access/token.ts";
import type { Directory } from "../../../src/durable-objects/access/object.ts";

function freshDirectory() {
  const { DIRECTORY } = env as unknown as { DIRECTORY: DurableObjectNamespace<Directory> };
  return DIRECTORY.get(DIRECTORY.idFromName(crypto.randomUUID()));
}

const wanted = { name: "n", scopes: ["signals:read" as const], ecosystems: ["a"] };
const digest = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));

describe("Directory", () => {
  it("recognises a token after a restart, and stores no secret", async () => {
    const directory = freshDirectory();
    const { token, record } = await directory.create(wanted);
    const parts = parseToken(token);
    await evictDurableObject(directory);
    expect(await directory.verify(parts?.id ?? "", await digest(parts?.secret ?? ""))).toEqual({
      id: record.id,
      name: "n",
      scopes: ["signals:read"],
      ecosystems: ["a"],
      expires_at: null,
    });
    const stored = await runInDurableObject(directory, (_, state) => {
      const rows = state.storage.sql.exec("SELECT * FROM tokens").toArray();
      return JSON.stringify(rows.map((row) => ({ ...row, digest: [...new Uint8Array(row.digest as ArrayBuffer)] })));
    });
    expect(stored).not.toContain(parts?.secret);
  });

  it("refuses a wrong secret and an unknown id alike", async () => {
    const directory = freshDirectory();
    const { record } = await directory.create(wanted);
    expect(await directory.verify(record.id, await digest("other"))).toBeNull();
    expect(await directory.verify("aaaaaaaaaaaa", await digest("other"))).toBeNull();
    // A missing record is compared with zeros, which no secret has as its digest.
    expect(await directory.verify("aaaaaaaaaaaa", new ArrayBuffer(32))).toBeNull();
  });

  it("lists ecosystems with their last activity, also when calls come late or twice", async () => {
    const directory = freshDirectory();
    const at = (minute: number) => Date.UTC(2026, 0, 1, 0, minute);
    await directory.touch("b", at(5));
    await directory.touch("b", at(5)); // doubled
    await directory.touch("b", at(1)); // late
    await directory.touch("a", at(2));
    expect(await directory.ecosystems()).toEqual([
      { name: "a", last_active_at: "2026-01-01T00:02:00.000Z" },
      { name: "b", last_active_at: "2026-01-01T00:05:00.000Z" },
    ]);
    await directory.touch("b", at(6));
    expect((await directory.ecosystems())[1]?.last_active_at).toBe("2026-01-01T00:06:00.000Z");
  });
});
