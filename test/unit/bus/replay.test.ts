import { describe, expect, it } from "vitest";
import { readHistory } from "../../../local-agent/bus/replay/history.ts";
import { errorReply, repliesOf } from "../../../local-agent/bus/replay/replies.ts";
import { readAsked } from "../../../local-agent/bus/replay/request.ts";
import { BusSettings } from "../../../local-agent/bus/settings.ts";
import type { SignalQuery } from "../../../src/client/signals.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";

const T0 = Date.UTC(2026, 0, 31, 12);
const at = (ms: number) => new Date(T0 + ms).toISOString();
const aSignal = (seq: number, signal = "Q_TICK", facts: Record<string, unknown> = { n: seq }): Signal => ({
  seq,
  id: `h.e.bus.${seq}`,
  signal,
  source: "s",
  ecosystem: "e",
  timestamp: at(seq),
  received_at: at(seq + 1),
  facts,
});
const frames = (...texts: string[]) => texts.map((text) => Buffer.from(text));
const ask = (request: unknown) => readAsked(frames("me", JSON.stringify(request)));

describe("the request of a late subscriber", () => {
  it("comes from a REQ with its envelope, and from a DEALER without one", () => {
    const request = JSON.stringify({ minutes: 10, topics: ["Q_"], form: "two-frames" });
    const read = { minutes: 10, topics: ["Q_"], form: "two_frames" };
    expect(readAsked(frames("me", "", request))).toMatchObject({
      isReq: true,
      envelope: frames("me", ""),
      request: read,
    });
    expect(readAsked(frames("me", "7", "", request))).toMatchObject({ envelope: frames("me", "7", ""), request: read });
    expect(readAsked(frames("me", request))).toMatchObject({ isReq: false, envelope: frames("me"), request: read });
    expect(ask({ minutes: 0.5 }).request).toEqual({ minutes: 0.5, topics: [] });
  });

  it.each([
    [frames("me", "{"), "is not JSON"],
    [[Buffer.from("me"), Buffer.from([0xff])], "is not JSON"],
    [frames("me", ""), "0 frames"],
    [frames("me", "", "a", "b"), "2 frames"],
    [frames("me", `"${"x".repeat(9_000)}"`), "8192 are allowed"],
    [frames("me", "[]"), "give an object"],
    [frames("me", '{"minutes": 0}'), "/minutes: give more than 0 minutes"],
    [frames("me", '{"minutes": 1441}'), "/minutes: give 1440 minutes at most"],
    [frames("me", '{"minutes": "10"}'), "/minutes: give a number of minutes"],
    [frames("me", '{"minutes": 1, "topics": "Q_"}'), "/topics"],
    [frames("me", '{"minutes": 1, "form": "three"}'), "/form: give two-frames or one-frame"],
    [frames("me", '{"minute": 1}'), "minute"],
  ])("is refused with what is wrong", (given, words) => {
    const { request, refusal } = readAsked(given);
    expect(request).toBeUndefined();
    expect(refusal).toContain(words);
  });
});

describe("what a late subscriber has missed", () => {
  /** A log that answers in pages, the newest first. */
  function aLog(all: readonly Signal[], page = 1_000) {
    const queries: SignalQuery[] = [];
    const signals = async (query: SignalQuery = {}) => {
      queries.push(query);
      const rest = all
        .filter(({ seq }) => seq < (query.after ?? Number.POSITIVE_INFINITY))
        .slice(-page)
        .reverse();
      const last = rest.at(-1)?.seq ?? 1;
      return { signals: rest, next: last > 1 ? last : null };
    };
    return { client: { signals }, queries };
  }
  const read = (all: readonly Signal[], topics: string[] = [], page?: number) => {
    const { client, queries } = aLog(all, page);
    const query = { topics, sinceMs: T0, nowMs: T0 + 60_000 };
    return readHistory(client, query, new AbortController().signal).then((history) => ({ ...history, queries }));
  };
  const range = (count: number) => Array.from({ length: count }, (_, place) => aSignal(place + 1));

  it("is what its topics name, the oldest first, over several pages", async () => {
    const { signals, queries, ...rest } = await read(range(25), ["Q_T"], 10);
    expect(signals.map(({ signal }) => signal.seq)).toEqual(range(25).map(({ seq }) => seq));
    expect(rest).toEqual({ fromMs: T0, truncated: false });
    expect(queries).toMatchObject([{ signals: ["Q_T*"], since: at(0), order: "desc" }, { after: 16 }, { after: 6 }]);
  });

  it("is everything but the measurements without topics, and nothing where no name can begin so", async () => {
    expect((await read([], [])).queries).toMatchObject([{ signals: ["*", "!OBSERVATION"] }]);
    expect(await read(range(3), ["no name"])).toMatchObject({ signals: [], truncated: false, queries: [] });
  });

  it("is the newest of it where that is too much, and says from when on it is whole", async () => {
    const many = await read(range(10_001));
    expect([many.signals.length, many.truncated, many.fromMs]).toEqual([10_000, true, T0 + 2]);
    const large = range(100).map((one) => ({ ...one, facts: { text: "x".repeat(200_000) } }));
    const some = await read(large);
    expect([some.signals.length, some.truncated, some.fromMs]).toEqual([41, true, T0 + 60]);
  });
});

describe("the reply to a late subscriber", () => {
  const history = (signals: readonly Signal[], truncated = false) => ({
    signals: signals.map((signal) => ({ signal, text: JSON.stringify(signal) })),
    fromMs: T0,
    truncated,
  });
  const own = { isOwn: () => true, asOne: true, nowMs: T0 + 1_000, form: "one_frame" as const };
  const parsed = (reply: readonly string[] = []) => reply.map((part) => JSON.parse(part) as Record<string, unknown>);

  it("has the messages as the bus has them, and ends with what of the time they are", () => {
    const [reply] = repliesOf(history([aSignal(1)]), { ...own, form: "two_frames" });
    expect(reply?.[0]).toBe("Q_TICK");
    expect(parsed(reply?.slice(1))).toMatchObject([
      { signal: "Q_TICK", ts: T0 / 1_000 + 0.001, schema_version: 1, incident_id: "h.e.bus.1", facts: { n: 1 } },
      { replay: "complete", from: T0 / 1_000, until: T0 / 1_000 + 1, messages: 1 },
    ]);
    expect(parsed(repliesOf(history([], true), own)[0])).toMatchObject([{ replay: "truncated", messages: 0 }]);
    expect(parsed(errorReply("no"))).toEqual([{ replay: "error", error: "no" }]);
  });

  it("knows a message of the host's own programs by the incident that it was sent with", () => {
    const signals = [
      aSignal(1, "Q_A", { incident_id: "i-1" }),
      aSignal(2, "Q_A", { incident_id: "i-2" }),
      aSignal(3, "Q_B", { incident_id: "i-2" }),
      aSignal(4, "Q_A", {}),
    ];
    const ids = (isOwn: boolean) =>
      parsed(repliesOf(history(signals), { ...own, isOwn: () => isOwn })[0]).map(({ incident_id }) => incident_id);
    expect(ids(true)).toEqual(["i-1", "h.e.bus.2", "h.e.bus.3", "h.e.bus.4", undefined]);
    expect(ids(false)).toEqual(["h.e.bus.1", "h.e.bus.2", "h.e.bus.3", "h.e.bus.4", undefined]);
  });

  it("is one to a REQ, and several bounded ones to a DEALER", () => {
    const all = history(Array.from({ length: 2_500 }, (_, place) => aSignal(place + 1)));
    expect(repliesOf(all, own)).toHaveLength(1);
    const replies = repliesOf(all, { ...own, asOne: false });
    expect(replies.map((reply) => [reply.length - 1, parsed(reply.slice(-1))[0]?.replay])).toEqual([
      [1_000, "more"],
      [1_000, "more"],
      [500, "complete"],
    ]);
    const large = history(
      Array.from({ length: 4 }, (_, place) => aSignal(place + 1, "Q", { text: "x".repeat(600_000) })),
    );
    expect(repliesOf(large, { ...own, asOne: false })).toHaveLength(2);
  });
});

describe("the setting bus.replay", () => {
  it("is off by default, and an address that the bus does not have", () => {
    expect(BusSettings.parse({}).replay).toBeUndefined();
    expect(BusSettings.parse({ replay: "tcp://127.0.0.1:5560" }).replay).toBe("tcp://127.0.0.1:5560");
    for (const replay of ["5560", "tcp://127.0.0.1:5557"])
      expect(BusSettings.safeParse({ replay }).success).toBe(false);
  });
});
