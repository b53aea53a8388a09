import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { logOf } from "../log-under-test.ts";

const observation = { signal: "OBSERVATION", source: "test", facts: { zooid: "z", cpu_percent: 12 } };
const trigger = { signal: "Q_DREAM_TRIGGER", source: "test", facts: { reason: "r", topic: null, promotion_count: 1 } };

interface Page {
  signals: { seq: number; id: string; signal: string }[];
  next: number | null;
}
const page = async (path: string) => (await (await call(path)).json()) as Page;

describe("POST /signals", () => {
  it("keeps one signal and gives it back under its id", async () => {
    const eco = freshEcosystem();
    const response = await post(`/v1/${eco}/signals`, { ...observation, id: "first" });
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ first_seq: 1, last_seq: 1, accepted: 1, duplicates: 0, ids: ["first"] });
    const read = await call(`/v1/${eco}/signals/first`);
    expect(await read.json()).toMatchObject({
      seq: 1,
      id: "first",
      ecosystem: eco,
      facts: { zooid: "z", cpu_percent: 12 },
    });
  });

  it("keeps an array in its order, and lines in theirs", async () => {
    const eco = freshEcosystem();
    await post(`/v1/${eco}/signals`, [
      { ...observation, id: "a" },
      { ...observation, id: "b" },
    ]);
    const lines = `${JSON.stringify({ ...trigger, id: "c" })}\r\n\n${JSON.stringify({ ...trigger, id: "d" })}\n`;
    const response = await post(`/v1/${eco}/signals`, lines, {
      headers: { "Content-Type": "application/x-ndjson; charset=utf-8" },
    });
    expect(response.status).toBe(202);
    expect((await page(`/v1/${eco}/signals`)).signals.map(({ id }) => id)).toEqual(["a", "b", "c", "d"]);
  });

  it("counts a signal that comes again instead of keeping it twice", async () => {
    const eco = freshEcosystem();
    await post(`/v1/${eco}/signals`, { ...observation, id: "same" });
    const again = await post(`/v1/${eco}/signals`, [
      { ...observation, id: "same" },
      { ...observation, id: "other" },
    ]);
    expect(await again.json()).toMatchObject({ accepted: 1, duplicates: 1, ids: ["same", "other"] });
    expect((await page(`/v1/${eco}/signals`)).signals).toHaveLength(2);
  });

  it("keeps nothing of a batch with one invalid signal, and points at what is wrong with it", async () => {
    const eco = freshEcosystem();
    const bad = { ...trigger, facts: { ...trigger.facts, promotion_count: "many" } };
    const refused = await problemOf(await post(`/v1/${eco}/signals`, [observation, observation, observation, bad]));
    expect(refused.status).toBe(422);
    expect(refused.errors?.map(({ pointer }) => pointer)).toEqual(["/3/facts/promotion_count"]);
    expect((await page(`/v1/${eco}/signals`)).signals).toEqual([]);
  });

  it("points at the line of an invalid signal among lines", async () => {
    const lines = [observation, { ...observation, source: "" }].map((line) => JSON.stringify(line)).join("\n");
    const refused = await problemOf(
      await post("/v1/default/signals", lines, { headers: { "Content-Type": "application/x-ndjson" } }),
    );
    expect(refused.errors?.[0]?.pointer).toBe("/1/source");
  });

  it("says where a body stops being JSON, without quoting it", async () => {
    const refused = await problemOf(await post("/v1/default/signals", '{"signal": "X",\n "source": s3cret}'));
    expect(refused).toMatchObject({ status: 400, detail: "line 2, column 12: expected a value" });
    const lines = `${JSON.stringify(observation)}\n{"signal":}`;
    const line = await problemOf(
      await post("/v1/default/signals", lines, { headers: { "Content-Type": "application/x-ndjson" } }),
    );
    expect(line.detail).toContain("line 2, column 11");
  });

  it("refuses a body that is not UTF-8", async () => {
    const body = new Uint8Array([0x22, 0xff, 0x22]);
    const response = await call("/v1/default/signals", {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json" },
    });
    expect((await problemOf(response)).status).toBe(400);
  });

  it.each(["text/plain", "application/xml", "multipart/form-data; boundary=x", ""])(
    "does not read %j",
    async (type) => {
      const response = await call("/v1/default/signals", {
        method: "POST",
        body: new TextEncoder().encode("{}"),
        headers: type === "" ? {} : { "Content-Type": type },
      });
      expect((await problemOf(response)).status).toBe(415);
    },
  );

  it("takes 1,000 signals and refuses one more", async () => {
    const eco = freshEcosystem();
    const thousand = Array.from({ length: 1000 }, () => observation);
    expect((await post(`/v1/${eco}/signals`, thousand)).status).toBe(202);
    expect((await problemOf(await post(`/v1/${eco}/signals`, [...thousand, observation]))).status).toBe(413);
    const lines = [...thousand, observation].map((line) => JSON.stringify(line)).join("\n");
    const response = await post(`/v1/${eco}/signals`, lines, { headers: { "Content-Type": "application/x-ndjson" } });
    expect((await problemOf(response)).status).toBe(413);
  });

  it("stops reading a body without a length once it is over 1 MiB", async () => {
    let sent = 0;
    const endless = new ReadableStream({
      pull(controller) {
        sent += 65_536;
        if (sent > 64 * 1024 * 1024) controller.close();
        else controller.enqueue(new Uint8Array(65_536).fill(32));
      },
    });
    const response = await call("/v1/default/signals", {
      method: "POST",
      body: endless,
      headers: { "Content-Type": "application/json" },
    });
    expect((await problemOf(response)).status).toBe(413);
    expect(sent).toBeLessThan(8 * 1024 * 1024);
  });

  it("says when to come back while the log cannot be written, and has kept nothing of it", async () => {
    const eco = freshEcosystem();
    await post(`/v1/${eco}/signals`, observation);
    const sql = (statement: (slice: number) => string) =>
      runInDurableObject(logOf(eco), (_, { storage }) => {
        const { slice } = storage.sql.exec<{ slice: number }>("SELECT slice FROM slices").one();
        storage.sql.exec(statement(slice));
      });
    await sql(
      (slice) =>
        `CREATE TRIGGER full BEFORE INSERT ON segments_${slice} BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`,
    );
    const response = await post(`/v1/${eco}/signals`, observation);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await problemOf(response)).toMatchObject({ status: 503, retry_after_ms: 1000 });
    await sql(() => "DROP TRIGGER full");
    expect(await (await post(`/v1/${eco}/signals`, observation)).json()).toMatchObject({ first_seq: 2, accepted: 1 });
  });

  it("refuses an empty batch", async () => {
    expect((await problemOf(await post("/v1/default/signals", []))).status).toBe(422);
  });
});

describe("GET /signals", () => {
  it("pages through the log in either direction", async () => {
    const eco = freshEcosystem();
    await post(`/v1/${eco}/signals`, [observation, trigger, observation, trigger, observation]);
    const first = await page(`/v1/${eco}/signals?limit=3`);
    expect(first.signals.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    const second = await page(`/v1/${eco}/signals?limit=3&after=${first.next}`);
    expect(second).toMatchObject({ signals: [{ seq: 4 }, { seq: 5 }], next: null });
    const back = await page(`/v1/${eco}/signals?order=desc&limit=2`);
    expect(back.signals.map(({ seq }) => seq)).toEqual([5, 4]);
    expect((await page(`/v1/${eco}/signals?order=desc&after=${back.next}`)).signals.map(({ seq }) => seq)).toEqual([
      3, 2, 1,
    ]);
  });

  it("filters by patterns, source and time, and takes an empty parameter as absent", async () => {
    const eco = freshEcosystem();
    await post(`/v1/${eco}/signals`, [
      { ...observation, timestamp: "2026-01-01T00:00:00Z" },
      { ...trigger, source: "other", timestamp: "2026-01-02T00:00:00Z" },
      { ...trigger, timestamp: 1767484800 },
    ]);
    const seqs = async (query: string) => (await page(`/v1/${eco}/signals?${query}`)).signals.map(({ seq }) => seq);
    expect(await seqs("signal=Q_*")).toEqual([2, 3]);
    expect(await seqs("signal=!OBSERVATION&source=&after=&since=&until=&limit=&order=")).toEqual([2, 3]);
    expect(await seqs("signal=OBSERVATION&signal=Q_DREAM*")).toEqual([1, 2, 3]);
    expect(await seqs("signal=*,!Q_*")).toEqual([1]);
    expect(await seqs("source=other")).toEqual([2]);
    expect(await seqs("since=2026-01-02T00:00:00Z&until=1767484800")).toEqual([2]);
  });

  it.each([
    ["limit=0", "/query/limit"],
    ["limit=1001", "/query/limit"],
    ["limit=ten", "/query/limit"],
    ["limit=1&limit=2", "/query/limit"],
    ["after=-1", "/query/after"],
    ["since=yesterday", "/query/since"],
    ["order=up", "/query/order"],
    ["signal=%27", "/query/signal"],
    ["limt=5", "/query/limt"],
  ])("names the parameter of ?%s", async (query, pointer) => {
    const refused = await problemOf(await call(`/v1/default/signals?${query}`));
    expect(refused.status).toBe(422);
    expect(refused.errors?.[0]?.pointer).toBe(pointer);
  });

  it("answers 404 for an id that the log does not hold", async () => {
    expect((await problemOf(await call("/v1/default/signals/nobody"))).status).toBe(404);
    expect((await problemOf(await call(`/v1/default/signals/${"x".repeat(4000)}`))).status).toBe(404);
  });
});
