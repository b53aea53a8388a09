import { describe, expect, test } from "vitest";
import { eraseSegment, type Subject } from "../../../src/core/erasure/erase-segment.ts";
import { Mentions } from "../../../src/core/erasure/mentions.ts";
import type { AppendRequest } from "../../../src/core/signals/api.ts";
import { erasedId } from "../../../src/core/signals/log/erased.ts";
import { hashKey } from "../../../src/core/signals/log/key-filter.ts";
import { LogState } from "../../../src/core/signals/log/log-state.ts";
import type { Segment } from "../../../src/core/signals/log/segment.ts";
import type { NewSignal, Signal } from "../../../src/core/signals/signal.ts";

const BASE = { epoch: "abcdef", nextSeq: 1, receivedMs: 0 };
const PRODUCER = "host.0a1b2c.bus";

const signal = (source: string, more: Partial<NewSignal> = {}): NewSignal => ({
  id: undefined,
  signal: "Q_A",
  source,
  timestampMs: 5_000,
  factsJson: '{"secret":42}',
  cause: undefined,
  trace: undefined,
  depth: undefined,
  ...more,
});

function segmentOf(...requests: readonly AppendRequest[]): Segment {
  const [segment] = new LogState("eco", BASE).append(requests, 9_000).segments;
  if (segment === undefined) throw new Error("no segment");
  return segment;
}

const erase = (segment: Segment, more: Partial<Subject> = {}) =>
  eraseSegment(segment, { mentions: new Mentions("anna"), throughSeq: 1_000, erasedCause: () => undefined, ...more });

const read = (segment: Segment | undefined) => (segment?.lines ?? []).map((line) => JSON.parse(line) as Signal);

describe("a segment from which a source is erased", () => {
  test("has a placeholder in the place of each of its signals, and its neighbours as they were", () => {
    const before = segmentOf({ signals: [signal("anna", { trace: "t" }), signal("berta"), signal("anna-2")] });
    const left = erase(before);
    const [first, ...others] = read(left?.segment);
    expect(first).toEqual({
      seq: 1,
      id: "s1.abcdef",
      signal: "Q_ERASED",
      source: "(erased)",
      ecosystem: "eco",
      timestamp: "1970-01-01T00:00:05.000Z",
      received_at: "1970-01-01T00:00:09.000Z",
      facts: {},
    });
    expect(others).toEqual(read(before).slice(1));
    expect(left?.erased).toEqual(["s1.abcdef"]);
    expect(left?.segment.names).toEqual(["Q_ERASED", "Q_A"]);
    expect(left?.segment).toMatchObject({ firstSeq: 1, lastSeq: 3, firstTs: before.firstTs, lastTs: before.lastTs });
  });

  test("is changed once: a second time nothing is found", () => {
    const left = erase(segmentOf({ owner: "t", signals: [signal("anna", { id: "anna-1" }), signal("berta")] }));
    expect(left && erase(left.segment)).toBeUndefined();
    expect(JSON.stringify(left?.segment)).not.toContain("anna");
  });

  test("without the source and without its name is left alone", () => {
    expect(erase(segmentOf({ signals: [signal("berta", { factsJson: '{"to":"joanna"}' })] }))).toBeUndefined();
  });

  test("keeps what the source sends after the erasure began", () => {
    const before = segmentOf({ signals: [signal("anna"), signal("anna")] });
    expect(read(erase(before, { throughSeq: 1 })?.segment).map(({ source }) => source)).toEqual(["(erased)", "anna"]);
  });

  test("knows a caller's id by a digest alone, and of other ids their owners and sources", () => {
    const requests = [
      { owner: "t1", signals: [signal("anna", { id: "job" }), signal("berta", { id: "job" })] },
      { owner: "t2", signals: [signal("carla", { id: "job" })] },
    ];
    const left = erase(segmentOf(...requests))?.segment;
    expect(left?.foreignIds).toEqual([
      [erasedId("job"), 1],
      ["job", 2, 0],
      ["job", 3, 1],
    ]);
    expect(left?.sources).toEqual(["berta", "carla"]);
    expect(left?.erased).toEqual([[expect.stringMatching(/^erased:[0-9a-f]{16}$/), 1]]);
  });

  test("keeps the numbers of producers and the ids that follow from them", () => {
    const left = erase(segmentOf({ producer: { name: PRODUCER, first: 7 }, signals: [signal("anna"), signal("b")] }));
    expect(left?.segment.producers).toEqual([[PRODUCER, 7, 8]]);
    expect(read(left?.segment).map(({ id }) => id)).toEqual([`${PRODUCER}.7`, `${PRODUCER}.8`]);
  });

  test("erases what the edge emitted because of it, through each other, and not what others made of it", () => {
    const left = erase(
      segmentOf({
        signals: [
          signal("anna", { id: "a1" }),
          signal("ganglion/policy", { cause: "a1" }),
          signal("ganglion/policy", { cause: "s2.abcdef" }),
          signal("berta", { cause: "a1", depth: 1 }),
          signal("ganglion/policy", { cause: "s4.abcdef" }),
        ],
      }),
    );
    const signals = read(left?.segment);
    expect(signals.map(({ source }) => source)).toEqual([
      "(erased)",
      "(erased)",
      "(erased)",
      "berta",
      "ganglion/policy",
    ]);
    expect(signals.map(({ cause }) => cause)).toEqual([
      undefined,
      erasedId("a1"),
      "s2.abcdef",
      erasedId("a1"),
      "s4.abcdef",
    ]);
    expect(left?.segment.causes).toContain(hashKey("cause", erasedId("a1")));
    expect(left?.segment.causes).not.toContain(hashKey("cause", "a1"));
  });

  test("erases effects of signals that stand in other segments", () => {
    const segment = segmentOf({
      signals: [signal("ganglion/policy", { cause: "elsewhere" }), signal("b", { cause: "x" })],
    });
    const left = erase(segment, { erasedCause: (cause) => (cause === "elsewhere" ? "ganglion.erased.1" : undefined) });
    expect(read(left?.segment)[0]).toMatchObject({ signal: "Q_ERASED", cause: "ganglion.erased.1" });
    expect(read(left?.segment)[1]).toMatchObject({ source: "b", cause: "x" });
  });

  test("has the name replaced in facts, in callers' ids and in causes of others", () => {
    const facts = JSON.stringify({ from: "anna", anna: 1, n: 2 });
    const left = erase(
      segmentOf({ owner: "t", signals: [signal("b", { factsJson: facts, id: "re-anna", cause: "anna.9" })] }),
    );
    expect(read(left?.segment)[0]).toMatchObject({
      source: "b",
      facts: { from: "(erased)", "(erased)": 1, n: 2 },
      id: erasedId("re-anna"),
      cause: erasedId("anna.9"),
    });
    expect(JSON.stringify(left?.segment)).not.toContain("anna");
  });

  test("erases the edge's gaps of a reporter of that name, and what another ecosystem's source sent over a bridge", () => {
    const gap = JSON.stringify({ gap_name: "cpu_bottleneck_anna", gap_reason: "CPU use of anna averages 99 %" });
    const via = { ecosystem: "e", seq: 1, id: "i", signal: "Q_A", source: "anna" };
    const left = erase(
      segmentOf({
        signals: [
          signal("ganglion/observations", { factsJson: gap }),
          signal("ganglion/policy", { via }),
          signal("b", { factsJson: gap }),
        ],
      }),
    );
    expect(read(left?.segment).map(({ source }) => source)).toEqual(["(erased)", "(erased)", "b"]);
  });

  test("leaves a damaged line out where the name is in it", () => {
    const before = segmentOf({ signals: [signal("berta"), signal("berta")] });
    const lines = [before.lines[0] ?? "", '{"seq":2,"source":"anna', "garbage"];
    expect(erase({ ...before, lines })?.segment.lines).toEqual([before.lines[0], "garbage"]);
  });

  test("tells under which names the source measured", () => {
    const observation = signal("anna", { signal: "OBSERVATION", factsJson: '{"zooid":"pump"}' });
    expect(erase(segmentOf({ signals: [observation] }))?.reporters).toEqual(["pump"]);
  });
});

describe("a log that is restored after an erasure", () => {
  function restored(segment: Segment): LogState {
    const log = new LogState("eco", BASE);
    log.restore(undefined, [segment]);
    log.openIds(9_000, () => undefined);
    log.addStoredIds(segment.erased ?? []);
    return log;
  }

  test("recognises the erased signal when a caller sends it again, and takes another source's of the same id", () => {
    const request = { owner: "t", signals: [signal("anna", { id: "job" })] };
    const left = erase(segmentOf(request))?.segment;
    const log = restored(left as Segment);
    expect(log.append([request], 9_500).results).toMatchObject([{ accepted: 0, duplicates: 1, first_seq: 1 }]);
    const other = { owner: "t", signals: [signal("berta", { id: "job" })] };
    expect(log.append([other], 9_500).results).toMatchObject([{ accepted: 1, duplicates: 0 }]);
  });

  test("recognises the numbers of a host, and compares of an erased signal the time alone", () => {
    const request = (more: Partial<NewSignal>) => ({
      owner: "host",
      producer: { name: PRODUCER, first: 1, remote: true },
      signals: [signal("anna", more)],
    });
    const left = erase(segmentOf(request({})))?.segment as Segment;
    const append = (more: Partial<NewSignal>) =>
      restored(left).append([request(more)], 9_500, () => left.lines[0]).results;
    expect(append({})).toMatchObject([{ accepted: 0, duplicates: 1 }]);
    expect(append({ timestampMs: 6_000 })).toMatchObject([{ conflict: "differs" }]);
  });
});
