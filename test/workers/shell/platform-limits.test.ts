import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, inject, test } from "vitest";
import { MAX_FRAME_BYTES } from "../../../src/core/queue/work-frames.ts";
import type { Fetch } from "../../../src/durable-objects/shell/limited-fetch.ts";
import type { TaggedSockets } from "../../../src/durable-objects/shell/sockets.ts";
import { freshEcosystem } from "../api/calls.ts";
import { follow, logOf } from "../log-under-test.ts";
import { webhooksStub } from "../webhooks/webhooks-under-test.ts";

/** Runs statements as the object's own code does. */
const onItsSql = (use: (sql: SqlStorage) => void) =>
  runInDurableObject(logOf(freshEcosystem()), (log) => {
    const { sql } = log as unknown as { readonly sql: SqlStorage };
    sql.exec("CREATE TABLE t (a TEXT, b TEXT)");
    use(sql);
  });

describe("storage of an object under test", () => {
  test("refuses a text of more than two million bytes, as the real edge does", () =>
    onItsSql((sql) => {
      expect(() => sql.exec("INSERT INTO t (a) VALUES (?)", "x".repeat(2_000_001))).toThrow("2000001 bytes");
      expect(() => sql.exec("INSERT INTO t (a) VALUES (?)", "€".repeat(700_000))).toThrow("2100000 bytes");
      expect(() => sql.exec("INSERT INTO t (a) VALUES (?)", new Uint8Array(2_000_001))).toThrow("2000001 bytes");
      sql.exec("INSERT INTO t (a) VALUES (?)", "x".repeat(2_000_000));
    }));

  test("refuses a row of more than two million bytes, and counts rows of one statement apart", () =>
    onItsSql((sql) => {
      const half = "x".repeat(1_100_000);
      expect(() => sql.exec("INSERT INTO t VALUES (?, ?)", half, half)).toThrow("a row of 2200000 bytes");
      sql.exec("INSERT INTO t (a) VALUES (?), (?)", half, half);
    }));

  test("refuses a statement with more than a hundred parameters, and one of more than 100,000 bytes", () =>
    onItsSql((sql) => {
      const query = (count: number) => `SELECT ${Array.from({ length: count }, () => "?").join(" + ")}`;
      expect(() => sql.exec(query(101), ...Array(101).fill(1))).toThrow("101 parameters");
      expect([...sql.exec(query(100), ...Array(100).fill(1))]).toHaveLength(1);
      expect(() => sql.exec(`SELECT '${"x".repeat(100_000)}'`)).toThrow("a statement of 100009 bytes");
    }));
});

describe("socket of an object under test", () => {
  const sends = (ecosystem: string, bytes: number) =>
    runInDurableObject(logOf(ecosystem), (log) => {
      const [socket] = (log as unknown as { readonly tagged: TaggedSockets }).tagged.all();
      socket?.send(`{"type":"other","text":"${"x".repeat(bytes - 26)}"}`);
    });

  test("refuses a message of more than a megabyte, also after the object was woken again", async () => {
    const ecosystem = freshEcosystem();
    await follow(ecosystem, ["Q_NEVER"]);
    await expect(sends(ecosystem, MAX_FRAME_BYTES + 1)).rejects.toThrow("a message of 1048577 bytes");
    await evictDurableObject(logOf(ecosystem));
    await expect(sends(ecosystem, MAX_FRAME_BYTES + 1)).rejects.toThrow("a message of 1048577 bytes");
  });

  test("refuses an attachment of more than 16,384 bytes", async () => {
    const ecosystem = freshEcosystem();
    await follow(ecosystem, ["Q_NEVER"]);
    await runInDurableObject(logOf(ecosystem), (log) => {
      const [socket] = (log as unknown as { readonly tagged: TaggedSockets }).tagged.all();
      socket?.serializeAttachment("x".repeat(16_000));
      expect(() => socket?.serializeAttachment("x".repeat(16_400))).toThrow("16384");
    });
  });
});

describe("connections of an object under test", () => {
  test("are refused while six wait for their answers", () =>
    runInDurableObject(webhooksStub(freshEcosystem()), async (webhooks) => {
      const { outgoing } = webhooks as unknown as { readonly outgoing: Fetch };
      const aborted = new AbortController();
      const hanging = Array.from({ length: 6 }, () =>
        outgoing(`${inject("receiver")}/limits/hang`, { method: "POST", signal: aborted.signal }).catch(() => "ended"),
      );
      await expect(outgoing(`${inject("receiver")}/limits/200`, { method: "POST" })).rejects.toThrow("beyond the 6");
      aborted.abort();
      expect(await Promise.all(hanging)).toEqual(Array(6).fill("ended"));
      const answer = await outgoing(`${inject("receiver")}/limits-2/200`, { method: "POST" });
      expect([answer.status, await answer.text()]).toEqual([200, "thank you"]);
    }));
});
