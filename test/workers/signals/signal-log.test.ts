import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { ReadQuery } from "../../../src/core/signals/api.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { call } from "../api/calls.ts";
import { evict } from "../evict.ts";
import { linkOf } from "../link-under-test.ts";
import { allOf, aSignal, deadLettersOf, follow, logOf, policyOf } from "../log-under-test.ts";

const read = async (eco: string, query: Partial<ReadQuery>) => {
  const page = await logOf(eco).read({ signals: [], limit: 100, order: "asc", ...query });
  return { signals: page.lines.map((line) => JSON.parse(line) as Signal), next: page.next };
};
const numbers = (signals: readonly Signal[]) => signals.map(({ facts }) => facts.n);
const numbered = (from: number, count: number, name = "Q_A_B") =>
  Array.from({ length: count }, (_, n) => aSignal(name, { n: from + n }));
const fromProducer = (first: number, count: number, name?: string) => ({
  producer: { name: "p", first },
  signals: numbered(first, count, name),
});

describe("the signal log", () => {
  test("knows after losing its memory what it has, whom it has heard and which ids it has seen", async () => {
    const eco = "log-evicted";
    await logOf(eco).append(fromProducer(1, 3));
    await logOf(eco).append({ signals: [aSignal("Q_A_B", { n: 4 }, { id: "mine" })] });
    await evict(logOf(eco));
    expect(await logOf(eco).append(fromProducer(2, 3))).toMatchObject({ accepted: 1, duplicates: 2 });
    expect(await logOf(eco).append({ signals: [aSignal("Q_A_B", { n: 4 }, { id: "mine" })] })).toMatchObject({
      accepted: 0,
      duplicates: 1,
      first_seq: 4,
    });
    expect(numbers(await allOf(eco))).toEqual([1, 2, 3, 4, 4]);
    expect((await allOf(eco)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  });

  test("keeps its order and its producers over many segments, zones and evictions", async () => {
    const eco = "log-zones";
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 200; n++)
        await logOf(eco).append(fromProducer(round * 200 + n + 1, 1, n % 50 === 0 ? "Q_RARE_ONE" : "Q_A_B"));
      await evict(logOf(eco));
    }
    expect(numbers(await allOf(eco))).toEqual(Array.from({ length: 600 }, (_, n) => n + 1));
    expect(await logOf(eco).append(fromProducer(590, 12))).toMatchObject({ accepted: 1, duplicates: 11 });
    const rare = await read(eco, { signals: ["Q_RARE_*"] });
    expect(numbers(rare.signals)).toEqual([1, 51, 101, 151, 201, 251, 301, 351, 401, 451, 501, 551]);
    const found = await logOf(eco).find("p.300");
    expect(JSON.parse(found ?? "{}")).toMatchObject({ seq: 300, facts: { n: 300 } });
    expect(await logOf(eco).find("p.3000")).toBeNull();
  });

  test("reads in both directions, in pages, without leaving out or repeating any", async () => {
    const eco = "log-pages";
    await logOf(eco).append({ signals: numbered(1, 10) });
    await logOf(eco).append({ signals: numbered(11, 5) });
    for (const order of ["asc", "desc"] as const) {
      const seen: unknown[] = [];
      let after: number | undefined;
      for (;;) {
        const page = await read(eco, { order, limit: 4, ...(after === undefined ? {} : { after }) });
        seen.push(...numbers(page.signals));
        if (page.next === null) break;
        after = page.next;
      }
      const all = Array.from({ length: 15 }, (_, n) => n + 1);
      expect(seen).toEqual(order === "asc" ? all : all.reverse());
    }
  });

  test("reads by name, source and time of the event", async () => {
    const eco = "log-filters";
    const at = (iso: string) => ({ timestampMs: Date.parse(iso) });
    await logOf(eco).append({
      signals: [
        aSignal("Q_A_B", { n: 1 }, at("2026-01-01T00:00:00Z")),
        aSignal("Q_A_C", { n: 2 }, { ...at("2026-01-02T00:00:00Z"), source: "other" }),
        aSignal("OBSERVATION", { n: 3 }, at("2026-01-03T00:00:00Z")),
      ],
    });
    expect(numbers((await read(eco, { signals: ["Q_*"] })).signals)).toEqual([1, 2]);
    expect(numbers((await read(eco, { source: "other" })).signals)).toEqual([2]);
    expect(numbers((await read(eco, { sinceMs: Date.UTC(2026, 0, 2) })).signals)).toEqual([2, 3]);
    expect(numbers((await read(eco, { untilMs: Date.UTC(2026, 0, 2) })).signals)).toEqual([1]);
  });

  test("finds a signal by whatever id it has", async () => {
    const eco = "log-find";
    const { ids } = (await logOf(eco).append({
      signals: [aSignal("Q_A_B", { n: 1 }), aSignal("Q_A_B", { n: 2 }, { id: "my.own.7" })],
    })) as unknown as { ids: string[] };
    await logOf(eco).append({
      producer: { name: "bus", first: 9 },
      signals: [aSignal("Q_A_B", { n: 3 }, { id: "foreign" })],
    });
    for (const [id, n] of [
      [ids[0], 1],
      ["my.own.7", 2],
      ["foreign", 3],
    ] as const) {
      expect(JSON.parse((await logOf(eco).find(String(id))) ?? "{}")).toMatchObject({ id, facts: { n } });
    }
    expect(await logOf(eco).find("s999.abcdef")).toBeNull();
    expect(await logOf(eco).find("nobody")).toBeNull();
  });

  test("writes one row for a batch, whatever its size", async () => {
    const eco = "log-billing";
    const written = () =>
      runInDurableObject(logOf(eco), (_, state) => {
        const [{ rows }] = [...state.storage.sql.exec<{ rows: number }>("SELECT count(*) AS rows FROM slices")] as [
          { rows: number },
        ];
        const [{ slice }] = [...state.storage.sql.exec<{ slice: number }>("SELECT slice FROM slices")] as [
          { slice: number },
        ];
        const [{ segments }] = [
          ...state.storage.sql.exec<{ segments: number }>(`SELECT count(*) AS segments FROM segments_${slice}`),
        ] as [{ segments: number }];
        return rows + segments;
      });
    await logOf(eco).append({ signals: numbered(1, 1) });
    const before = await written();
    await logOf(eco).append({ signals: numbered(2, 1_000) });
    expect((await written()) - before).toBe(1);
  });
});

describe("a subscriber", () => {
  test("gets what was there after its place and what comes, once and in order", async () => {
    const eco = "stream-resume";
    await logOf(eco).append({ signals: numbered(1, 3) });
    const stream = await follow(eco, [], 1);
    await logOf(eco).append({ signals: numbered(4, 2) });
    const got: unknown[] = [];
    for (let n = 0; n < 4; n++) got.push((await stream.next()).facts.n);
    expect(got).toEqual([2, 3, 4, 5]);
  });

  test("survives hibernation of the log and goes on where it was", async () => {
    const eco = "stream-hibernate";
    const stream = await follow(eco, ["Q_*"]);
    await logOf(eco).append({ signals: numbered(1, 1) });
    expect((await stream.next()).facts.n).toBe(1);
    await evict(logOf(eco));
    await logOf(eco).append({ signals: [...numbered(2, 1, "OBSERVATION_X"), ...numbered(3, 1)] });
    expect((await stream.next()).facts.n).toBe(3);
    expect(stream.waiting).toEqual([]);
  });

  test("that does not acknowledge is left alone after its credit, and served from the log when it does", async () => {
    const eco = "stream-credit";
    const response = await logOf(eco).fetch(`https://log/${eco}/stream?after=0`, { headers: { Upgrade: "websocket" } });
    const socket = response.webSocket as WebSocket;
    socket.accept();
    let received = 0;
    let last = 0;
    let heard = () => {};
    socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as { last: number; signals: unknown[] };
      received += frame.signals.length;
      last = frame.last;
      heard();
    });
    for (let batch = 0; batch < 12; batch++) await logOf(eco).append({ signals: numbered(batch * 1_000 + 1, 1_000) });
    await logOf(eco).status();
    expect(received).toBeLessThan(10_000);
    const all = new Promise<void>((resolve) => {
      heard = () => {
        socket.send(JSON.stringify({ type: "seen", seq: last }));
        if (received >= 12_000) resolve();
      };
    });
    heard();
    await all;
    expect(received).toBe(12_000);
    expect(last).toBe(12_000);
  });
});

describe("a link", () => {
  interface Frame {
    type: string;
    batch?: number;
    last?: number;
    rejected?: { number: number; errors: unknown[] }[];
    problem?: { status: number; errors?: unknown[] };
  }
  async function link(eco: string) {
    const socket = await linkOf(eco, "h");
    const frames: Frame[] = [];
    const asked: ((frame: Frame) => void)[] = [];
    socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as Frame;
      const ask = asked.shift();
      if (ask === undefined) frames.push(frame);
      else ask(frame);
    });
    return {
      send: (frame: unknown) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
      next: () => {
        const frame = frames.shift();
        return frame !== undefined ? Promise.resolve(frame) : new Promise<Frame>((resolve) => asked.push(resolve));
      },
    };
  }
  /** Without what the edge itself tells of the host. */
  const sent = async (eco: string) => (await allOf(eco)).filter(({ source }) => source === "s");
  const wire = (n: number, more = {}) => ({ signal: "Q_A_B", source: "s", facts: { n }, ...more });

  test("appends numbered signals, and what it sends again is in the log once", async () => {
    const eco = "link-append";
    const { send, next } = await link(eco);
    send({ type: "append", batch: 1, producer: "h.e.local", first: 1, signals: [wire(1), wire(2)] });
    expect(await next()).toEqual({ type: "appended", batch: 1, producer: "h.e.local", last: 2 });
    send({ type: "append", batch: 2, producer: "h.e.local", first: 2, signals: [wire(2), wire(3)] });
    expect(await next()).toMatchObject({ batch: 2, last: 3 });
    const signals = await sent(eco);
    expect(numbers(signals)).toEqual([1, 2, 3]);
    expect(signals.map(({ id }) => id)).toEqual(["h.e.local.1", "h.e.local.2", "h.e.local.3"]);
  });

  test("passes over what only a newer agent says, without a word that an older one could take for another", async () => {
    const eco = "link-newer";
    const { send, next } = await link(eco);
    send({ type: "news", batch: 1 });
    send({ type: "weather", facts: { unknown: true } });
    send({ type: "status", unknown: "a field of a known one" });
    send({ type: "append", batch: 1, producer: "h.e.local", first: 1, signals: [wire(1)] });
    expect(await next()).toEqual({ type: "appended", batch: 1, producer: "h.e.local", last: 1 });
    expect((await logOf(eco).status()).unknown_frames).toBe(2);
    // One of a known type that is wrong is refused, as ever.
    send({ type: "subscribe", after: -1 });
    expect(await next()).toMatchObject({ type: "refused", batch: null, problem: { status: 422 } });
  });

  test("a signal that cannot be kept becomes a dead letter and does not hold up its neighbours", async () => {
    const eco = "link-poison";
    const { send, next } = await link(eco);
    send({ type: "append", batch: 1, producer: "h.p", first: 1, signals: [wire(1), wire(2, { facts: [] }), wire(3)] });
    const answer = await next();
    expect(answer).toMatchObject({ batch: 1, last: 3, rejected: [{ number: 2 }] });
    expect(numbers(await sent(eco))).toEqual([1, 3]);
    const letters = deadLettersOf(eco);
    await expect
      .poll(async () => (await letters.list({ limit: 5 })).dead_letters)
      .toMatchObject([{ id: "h.p.2", daemon: "link/h" }]);
  });

  test("refuses a batch of another host's producer, and of the edge's own", async () => {
    const { send, next } = await link("link-foreign");
    for (const [batch, producer] of [
      "g.e.local",
      "hh.e.local",
      "ganglion.policy.e",
      "h",
      "h.",
      "h.b.e.local",
    ].entries()) {
      send({ type: "append", batch, producer, first: 1, signals: [wire(1)] });
      expect(await next()).toMatchObject({
        type: "refused",
        batch,
        problem: { type: "/problems/foreign-producer", status: 403 },
      });
    }
    expect(await sent("link-foreign")).toEqual([]);
  });

  test("does not confirm numbers under which it holds other signals, and names the last that agrees", async () => {
    const eco = "link-clone";
    const { send, next } = await link(eco);
    const append = (batch: number, first: number, values: readonly number[]) =>
      send({ type: "append", batch, producer: "h.e.local", first, signals: values.map((value) => wire(value)) });
    append(1, 1, [1, 2, 3, 4, 5]);
    expect(await next()).toMatchObject({ type: "appended", last: 5 });
    append(2, 2, [2, 3, 40, 50, 60]);
    append(3, 7, [70]);
    expect(await next()).toMatchObject({
      type: "refused",
      batch: 2,
      problem: { type: "/problems/producer-conflict", status: 409, same_up_to: 3, last: 5 },
    });
    expect(await next()).toMatchObject({ type: "refused", batch: 3 });
    // Another machine of the same name: what it sends on is not taken under the shared numbers, either.
    const twin = await link(eco);
    twin.send({ type: "append", batch: 1, producer: "h.e.local", first: 6, signals: [wire(6)] });
    expect(await twin.next()).toMatchObject({ type: "refused", problem: { type: "/problems/producer-conflict" } });
    expect(numbers(await sent(eco))).toEqual([1, 2, 3, 4, 5]);
  });

  test("takes a batch that comes over two links at once one time", async () => {
    const eco = "link-two";
    const [old, fresh] = [await link(eco), await link(eco)];
    const batch = { type: "append", batch: 1, producer: "h.e.local", first: 1, signals: [wire(1), wire(2)] };
    old.send(batch);
    fresh.send(batch);
    expect(await old.next()).toMatchObject({ type: "appended", last: 2 });
    expect(await fresh.next()).toMatchObject({ type: "appended", last: 2 });
    expect(numbers(await sent(eco))).toEqual([1, 2]);
  });

  test("begins anew with the next number of a producer that an administrator has repaired, after a restart too", async () => {
    const eco = "link-repaired";
    const { send, next } = await link(eco);
    const append = async (batch: number, first: number) => {
      send({ type: "append", batch, producer: "h.e.local", first, signals: [wire(first)] });
      return next();
    };
    await append(1, 9e12);
    const path = `/v1/${eco}/producers`;
    const list = async () =>
      (await (await call(`${path}?host=h`)).json()) as { producers: { producer: string; last: number }[] };
    expect((await list()).producers).toMatchObject([{ producer: "h.e.local", last: 9e12 }]);
    expect((await call(`${path}/h.e.local`, { method: "DELETE" })).status).toBe(204);
    expect((await call(`${path}/h.e.local`, { method: "DELETE" })).status).toBe(404);
    await evict(logOf(eco));
    expect(await append(2, 1)).toMatchObject({ type: "appended", last: 1 });
    expect((await list()).producers).toMatchObject([{ producer: "h.e.local", last: 1 }]);
    expect(numbers(await sent(eco))).toEqual([9e12, 1]);
  });

  test("refuses numbers that are far ahead, and takes the signals under a new name", async () => {
    const eco = "link-ahead";
    const { send, next } = await link(eco);
    send({ type: "append", batch: 1, producer: "h.e.local", first: 1, signals: [wire(1)] });
    expect(await next()).toMatchObject({ type: "appended" });
    send({ type: "append", batch: 2, producer: "h.e.local", first: 9e12, signals: [wire(2)] });
    expect(await next()).toMatchObject({
      type: "refused",
      batch: 2,
      problem: { type: "/problems/producer-gap", status: 409, last: 1 },
    });
    send({ type: "append", batch: 3, producer: "h.f.local", first: 9e12, signals: [wire(2)] });
    expect(await next()).toMatchObject({ type: "appended", batch: 3 });
    expect(numbers(await sent(eco))).toEqual([1, 2]);
  });

  test.each([
    ["text that is not JSON", "{", 400],
    ["a frame without a type", { hello: "you" }, 422],
    ["an append without signals", { type: "append", batch: 3, producer: "p", first: 1, signals: [] }, 422],
    ["a frame beyond the limit", "x".repeat(1_100_000), 413],
  ])("refuses %s and says why", async (_, frame, status) => {
    const { send, next } = await link("link-refuse");
    send(frame);
    expect(await next()).toMatchObject({ type: "refused", problem: { status } });
  });
});

describe("what the log owes its projections", () => {
  test("is paid by the alarm, should the queue have lost everything", async () => {
    const eco = "log-alarm";
    await logOf(eco).append({ signals: [aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: 1 })] });
    const stream = await follow(eco, ["Q_DREAM_TRIGGER"], 0);
    await evict(logOf(eco));
    expect(await runDurableObjectAlarm(logOf(eco))).toBe(true);
    expect(await stream.next()).toMatchObject({ signal: "Q_DREAM_TRIGGER" });
  });

  test("is paid by a later alarm where a projection fails", async () => {
    const eco = "log-alarm-again";
    await logOf(eco).append({ signals: [aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: 1 })] });
    const stream = await follow(eco, ["Q_DREAM_TRIGGER"], 0);
    await evict(logOf(eco));
    await policyOf(eco).transfer({ do: "suspend", id: "copy", untilMs: Date.now() + 60_000 });
    for (let attempt = 0; attempt < 8; attempt++) expect(await runDurableObjectAlarm(logOf(eco))).toBe(true);
    await policyOf(eco).transfer({ do: "resume" });
    expect(await runDurableObjectAlarm(logOf(eco))).toBe(true);
    expect(await stream.next()).toMatchObject({ signal: "Q_DREAM_TRIGGER" });
  });
});
