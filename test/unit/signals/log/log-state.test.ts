import { describe, expect, test } from "vitest";
import { keyOfEntry, oldIdKey } from "../../../../src/core/signals/log/id-owner.ts";
import type { LogBase } from "../../../../src/core/signals/log/log-base.ts";
import { LogState } from "../../../../src/core/signals/log/log-state.ts";
import type { Segment } from "../../../../src/core/signals/log/segment.ts";
import type { Zone } from "../../../../src/core/signals/log/zone.ts";
import type { NewSignal, Signal } from "../../../../src/core/signals/signal.ts";
import { lineId, lineName, lineSeq } from "../../../../src/core/signals/signal-line.ts";
import fc from "../../../fast-check.ts";
import { checkSegment, checkZone } from "./headers.ts";

const START: LogBase = { epoch: "abcdef", nextSeq: 1, receivedMs: 0, producers: {} };
const T0 = Date.UTC(2026, 0, 1);

function aSignal(text: string, id?: string): NewSignal {
  return {
    id,
    signal: "Q_A_B",
    source: 'm"e',
    timestampMs: undefined,
    factsJson: JSON.stringify({ text }),
    cause: undefined,
    trace: undefined,
    depth: undefined,
  };
}

interface Sent {
  readonly text: string;
  readonly sentMs: number;
  readonly signal: NewSignal;
}

/** What a disk would hold, and a log that can be restored from it at any moment. */
class StoredLog {
  segments: Segment[] = [];
  zones: Zone[] = [];
  readonly producers = new Map<number, string>();
  state = new LogState("eco", START);

  append(requests: Parameters<LogState["append"]>[0], nowMs: number) {
    if (this.state.needsIds) {
      const stored = new Map(this.ids(nowMs));
      this.state.openIds(nowMs, (key, id) => stored.get(key) ?? stored.get(oldIdKey(id)));
      // Half of the time the ids of before a restart are in memory, and otherwise they are looked up.
      if (this.segments.length % 2 === 0) this.state.addStoredIds([...stored].reverse());
    }
    const commit = this.state.append(requests, nowMs);
    this.segments.push(...commit.segments);
    this.#store(this.#closeZone());
    return commit.results;
  }

  closeZone(): void {
    this.#store(this.#closeZone(true));
  }

  #closeZone(force = false): Zone | undefined {
    for (const segment of this.segments) this.state.zone.addKeys(segment);
    return this.state.closeZone(force);
  }

  #store(zone: Zone | undefined): void {
    if (zone === undefined) return;
    this.zones.push(zone);
    for (const { page, body } of this.state.takeProducers()) {
      if (body === null) this.producers.delete(page);
      else this.producers.set(page, body);
    }
  }

  restart(): void {
    this.state = new LogState("eco", START);
    const zone = this.zones.at(-1);
    this.state.restore(
      zone,
      // As a waking log reads them.
      this.segments
        .filter((segment) => segment.firstSeq > (zone?.lastSeq ?? 0))
        .map((segment) => ({ ...segment, foreignIds: [], causes: [], keysUnread: true as const })),
      [...this.producers].map(([page, body]) => ({ page, body })),
    );
  }

  ids(nowMs: number) {
    return this.segments
      .filter((segment) => segment.receivedMs >= nowMs - 600_000)
      .flatMap((segment) => segment.foreignIds.map((entry) => [keyOfEntry(entry, segment), entry[1]] as const));
  }

  get lines(): string[] {
    return this.segments.flatMap((segment) => segment.lines);
  }
}

describe("the order of a log", () => {
  test("over any history of retries, restarts and pauses each signal stands in it once, in its sender's order", () => {
    const request = fc.record({
      producer: fc.constantFrom("a", "b", "nobody"),
      count: fc.constantFrom(1, 2, 7),
      /** How much of what was sent before is sent again. */
      again: fc.constantFrom(0, 0, 1, 5, 50),
      /** A number that the producer leaves out before it goes on. */
      skips: fc.boolean(),
      signal: fc.constantFrom("Q_A_B", "Q_C_D"),
      timestampMs: fc.constantFrom(undefined, T0 - 1, T0 + 86_400_000),
      cause: fc.constantFrom(undefined, "s1.x", "s2.x"),
    });
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant("append" as const),
          group: fc.array(request, { minLength: 1, maxLength: 3 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("close zone" as const) }) },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant("wait" as const),
          // The clock is set back too: by up to a minute, which is waited for, and by more.
          ms: fc.constantFrom(1, 299_999, 300_000, -1, -59_999, -60_000, -60_001),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (history) => {
        const log = new StoredLog();
        const sent: Record<string, (Sent | undefined)[]> = { a: [], b: [], nobody: [] };
        const answers: { ids: readonly string[]; told: string; fresh: number; known: number }[] = [];
        /** By appends, as segments are: none of them is too large for one. */
        const received: number[] = [];
        let nowMs = T0;
        let receivedMs = 0;
        /** How long it has been in truth, whatever the clock says. */
        let passedMs = 0;
        for (const event of history) {
          if (event.kind === "restart") log.restart();
          else if (event.kind === "close zone") log.closeZone();
          else if (event.kind === "wait") {
            nowMs += event.ms;
            passedMs += Math.max(0, event.ms);
          } else {
            const requests = event.group.map(({ producer, count, again, skips, ...rest }) => {
              const own = sent[producer] ?? [];
              if (skips && producer !== "nobody") own.push(undefined);
              // Who has no number repeats only within the ten minutes that protect it.
              const repeatable =
                producer === "nobody"
                  ? own.filter((item) => item !== undefined && item.sentMs > passedMs - 600_000).length
                  : own.length - 1 - own.lastIndexOf(undefined);
              const first = own.length - Math.min(again, repeatable);
              for (let n = 0; n < count; n++) {
                const text = `${producer}${own.length + 1}`;
                const signal = { ...aSignal(text, producer === "nobody" ? `id-${text}` : undefined), ...rest };
                own.push({ text, sentMs: passedMs, signal });
              }
              const signals = own.slice(first).flatMap((item) => item?.signal ?? []);
              return producer === "nobody"
                ? { owner: "t1", signals }
                : { producer: { name: producer, first: first + 1 }, signals };
            });
            const results = log.append(requests, nowMs);
            receivedMs = nowMs >= receivedMs || receivedMs - nowMs > 60_000 ? nowMs : receivedMs;
            received.push(receivedMs);
            for (const [place, { count, producer }] of event.group.entries()) {
              const result = results[place];
              if (result === undefined || !("ids" in result)) throw new Error("the log refused a request");
              const { ids, accepted, duplicates, first_seq, last_seq } = result;
              const known = producer === "nobody" ? 0 : ids.length - count;
              const told = `${accepted} new, ${duplicates} known, from ${first_seq} to ${last_seq}`;
              answers.push({ ids: ids.slice(known), told, fresh: count, known: ids.length - count });
            }
          }
        }
        const kept = log.lines.map((line) => JSON.parse(line) as Signal);
        expect(kept.map(({ seq }) => seq)).toEqual(kept.map((_, place) => place + 1));
        for (const producer of ["a", "b", "nobody"]) {
          const own = kept.map(({ facts }) => String(facts.text)).filter((text) => text.startsWith(producer));
          expect(own).toEqual((sent[producer] ?? []).flatMap((item) => item?.text ?? []));
        }
        // Answered with where the signals stand, those that were known by their ids included.
        const places = new Map(kept.map(({ id, seq }) => [id, seq]));
        const expected = answers.map(({ ids, fresh, known }) => {
          const seqs = ids.map((id) => places.get(id) ?? Number.NaN);
          return `${fresh} new, ${known} known, from ${Math.min(...seqs)} to ${Math.max(...seqs)}`;
        });
        expect(answers.map(({ told }) => told)).toEqual(expected);
        expect(log.segments.map((segment) => segment.receivedMs)).toEqual(received);
        for (const segment of log.segments) checkSegment(segment);
        for (const zone of log.zones) checkZone(zone, log.segments);
        expect(log.zones.map(({ firstSeq }) => firstSeq)).toEqual(
          log.zones.map((_, place) => (log.zones[place - 1]?.lastSeq ?? 0) + 1),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  test("a producer may leave numbers out, and says nothing twice", () => {
    const log = new StoredLog();
    const append = (first: number, count: number) =>
      log.append(
        [{ producer: { name: "p", first }, signals: Array.from({ length: count }, (_, n) => aSignal(`${first + n}`)) }],
        T0,
      )[0];
    expect(append(1, 2)).toMatchObject({ accepted: 2, duplicates: 0, ids: ["p.1", "p.2"], first_seq: 1, last_seq: 2 });
    expect(append(10, 1)).toMatchObject({ accepted: 1, ids: ["p.10"] });
    expect(append(9, 3)).toMatchObject({ accepted: 1, duplicates: 2, ids: ["p.9", "p.10", "p.11"] });
  });

  test("a repeated id is answered with the place of the first, and forgotten after its window", () => {
    const log = new StoredLog();
    expect(log.append([{ signals: [aSignal("x", "id")] }], T0)[0]).toMatchObject({ accepted: 1, first_seq: 1 });
    expect(log.append([{ signals: [aSignal("x", "id")] }], T0 + 600_000)[0]).toMatchObject({
      accepted: 0,
      duplicates: 1,
      first_seq: 1,
    });
    expect(log.append([{ signals: [aSignal("x", "id")] }], T0 + 86_400_000)[0]).toMatchObject({
      accepted: 1,
      first_seq: 2,
    });
  });

  test("an id is repeated by its owner and its source alone, over a restart too", () => {
    const log = new StoredLog();
    const put = (owner: string, source: string) =>
      log.append([{ owner, signals: [{ ...aSignal("x", "job-1"), source }] }], T0)[0];
    expect(put("t1", "a")).toMatchObject({ accepted: 1, first_seq: 1 });
    expect(put("t2", "a")).toMatchObject({ accepted: 1, first_seq: 2 });
    expect(put("t1", "b")).toMatchObject({ accepted: 1, first_seq: 3 });
    log.restart();
    expect(put("t1", "a")).toMatchObject({ accepted: 0, duplicates: 1, first_seq: 1 });
    expect(put("t2", "a")).toMatchObject({ accepted: 0, duplicates: 1, first_seq: 2 });
    expect(put("t1", "b")).toMatchObject({ accepted: 0, duplicates: 1, first_seq: 3 });
  });

  test("an id that an earlier version kept without its owner is still recognised", () => {
    const log = new StoredLog();
    log.append([{ owner: "t1", signals: [aSignal("x", "job-1")] }], T0);
    log.segments = log.segments.map(({ sources: _, owners: __, ...old }) => ({
      ...old,
      foreignIds: old.foreignIds.map(([id, seq]) => [id, seq]),
    }));
    log.restart();
    expect(log.append([{ owner: "t1", signals: [aSignal("x", "job-1")] }], T0)[0]).toMatchObject({ duplicates: 1 });
  });

  test.each([
    ["the next one that the log gives out", "s3.abcdef"],
    ["one of a host's producer", "h.e.local.7"],
  ])("a caller cannot take %s", (_, id) => {
    const log = new StoredLog();
    log.append([{ producer: { name: "h.e.local", first: 1 }, owner: "h", signals: [aSignal("x"), aSignal("y")] }], T0);
    expect(log.append([{ owner: "t1", signals: [aSignal("x"), aSignal("x", id)] }], T0)).toEqual([
      { foreign_id: id, place: 1 },
    ]);
    // A host has no choice of the ids that its bus brings: the log names such a signal itself.
    const other = { producer: { name: "g.e.local", first: 1 }, owner: "g", signals: [aSignal("x", id)] };
    expect(log.append([other], T0)).toMatchObject([{ ids: ["g.e.local.1"] }]);
    expect(log.append([{ owner: "t1", signals: [aSignal("x", "s1.abcdef")] }], T0)).toMatchObject([{ accepted: 1 }]);
  });

  test("requests of one group share a row", () => {
    const log = new StoredLog();
    log.append(
      Array.from({ length: 64 }, (_, n) => ({ signals: [aSignal(String(n))] })),
      T0,
    );
    expect(log.segments).toHaveLength(1);
  });

  test("a row never outgrows what storage takes, whatever the letters", () => {
    const log = new StoredLog();
    const big = (letter: string) => aSignal(letter.repeat(15_000));
    log.append([{ signals: Array.from({ length: 100 }, () => big("€")) }], T0);
    for (const { lines } of log.segments)
      expect(new TextEncoder().encode(lines.join("\n")).length).toBeLessThan(2_000_000);
    expect(log.lines).toHaveLength(100);
    // Three bytes a letter, and the rest of the line: less would be wasted room, more would not be safe.
    const sizes = log.segments.map(({ lines }) => lines.join("").length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(600_000);
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(580_000);
    for (const segment of log.segments) checkSegment(segment);
  });

  test("a zone takes 256 rows, also where it woke in between", () => {
    const log = new StoredLog();
    for (let n = 0; n < 255; n++) log.append([{ signals: [aSignal("x")] }], T0);
    expect(log.zones).toEqual([]);
    log.restart();
    log.append([{ signals: [aSignal("x")] }], T0);
    expect(log.zones.map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq])).toEqual([[1, log.lines.length]]);
  });

  test("received times stand still while the clock is a little behind, and follow it when it was set back", () => {
    const log = new StoredLog();
    const at = (nowMs: number) => {
      log.append([{ signals: [aSignal("x")] }], nowMs);
      return Date.parse((JSON.parse(log.lines.at(-1) ?? "") as Signal).received_at);
    };
    expect(at(T0)).toBe(T0);
    expect(at(T0 - 59_000)).toBe(T0);
    expect(at(T0 - 3_600_000)).toBe(T0 - 3_600_000);
  });

  test("a line is JSON, and its head can be read without parsing", () => {
    const log = new StoredLog();
    log.append(
      [
        {
          signals: [
            { ...aSignal("x", "i:1"), cause: "c", trace: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`, depth: 3 },
          ],
        },
      ],
      T0,
    );
    const [line = ""] = log.lines;
    const signal = JSON.parse(line) as Signal;
    expect(signal).toMatchObject({ source: 'm"e', ecosystem: "eco", cause: "c", depth: 3 });
    expect([lineSeq(line), lineId(line), lineName(line)]).toEqual([signal.seq, signal.id, signal.signal]);
  });
});
