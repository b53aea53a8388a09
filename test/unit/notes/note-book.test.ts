import { describe, expect, it } from "vitest";
import { readTags } from "../../../src/core/notes/entity-tags.ts";
import { agentOf, keyProblem, subjectOf } from "../../../src/core/notes/key.ts";
import { NOTE_LIMITS } from "../../../src/core/notes/limits.ts";
import type { NotePut, StoredNote } from "../../../src/core/notes/note.ts";
import { NoteBook, type NoteRows } from "../../../src/core/notes/note-book.ts";
import { handedFields } from "../../../src/core/notes/view.ts";
import fc from "../../fast-check.ts";

/** Notes in memory. */
class MemoryRows implements NoteRows {
  readonly notes = new Map<string, StoredNote>();

  find(key: string): StoredNote | undefined {
    return this.notes.get(key);
  }
  write(note: StoredNote): void {
    this.notes.set(note.key, note);
  }
  delete(key: string): void {
    this.notes.delete(key);
  }
  expired(nowMs: number, limit: number): StoredNote[] {
    const over = [...this.notes.values()].filter(({ expiresMs }) => expiresMs !== null && expiresMs <= nowMs);
    return over.sort((a, b) => (a.expiresMs ?? 0) - (b.expiresMs ?? 0)).slice(0, limit);
  }
  countBeside(key: string): number {
    const prefix = `${key.split("/").slice(0, 2).join("/")}/`;
    return [...this.notes.keys()].filter((other) => other.startsWith(prefix)).length;
  }
}

function newBook() {
  const rows = new MemoryRows();
  return { rows, book: new NoteBook(rows, { version: 0, notes: 0, bytes: 0 }) };
}

const aPut = (key: string, value: object, more: Partial<NotePut> = {}): NotePut => {
  const valueJson = JSON.stringify(value);
  return { key, valueJson, bytes: new TextEncoder().encode(valueJson).length, by: "t", ttlMs: null, ...more };
};

const KEYS = ["a", "b/c", "task/t/x", "agent/n/y"];
const condition = fc.constantFrom("none", "match", "match_old", "match_any", "create", "unless_known");
type Condition = "none" | "match" | "match_old" | "match_any" | "create" | "unless_known";
const step = fc.record({
  key: fc.constantFrom(...KEYS),
  act: fc.constantFrom("put", "put", "put", "remove", "sweep"),
  condition,
  value: fc.nat(5),
  ttlMs: fc.constantFrom(null, null, 1_000, 60_000),
  // A clock may be set back, too.
  passMs: fc.constantFrom(0, 1, 999, 1_000, 1_001, 60_000, -500),
});

interface Known {
  value: number;
  version: number;
  endsMs: number;
}

describe("notes", () => {
  it("are changed only where what the writer knows holds, in 1,000 histories", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { rows, book } = newBook();
        /** What a reader of the contract would expect. */
        const model = new Map<string, Known>();
        const seen = new Map<string, number>();
        let [nowMs, version] = [1_000_000, 0];
        const signals: string[] = [];
        const end = (key: string) => {
          model.delete(key);
          signals.push(`expired ${key} ${++version}`);
        };
        for (const { key, act, condition, value, ttlMs, passMs } of steps) {
          nowMs += passMs;
          if (act === "sweep") {
            const over = [...model]
              .filter(([, { endsMs }]) => endsMs <= nowMs)
              .sort(([, a], [, b]) => a.endsMs - b.endsMs);
            for (const [ended] of over) end(ended);
            expect(book.sweep(nowMs, 100)).toBe(false);
          } else {
            if ((model.get(key)?.endsMs ?? Number.POSITIVE_INFINITY) <= nowMs) end(key);
            const now = model.get(key);
            const old = seen.get(key) ?? 0;
            const conditions = conditionsOf(condition, now?.version, old);
            const may = {
              none: true,
              match: now !== undefined,
              match_old: now !== undefined && now.version === old,
              match_any: now !== undefined,
              create: now === undefined,
              unless_known: now === undefined || now.version !== old,
            }[condition as Condition];
            if (act === "put") {
              const outcome = book.put(aPut(key, { value }, { ttlMs, ...conditions }), nowMs);
              expect("note" in outcome).toBe(may);
              if ("stale" in outcome) expect(outcome.stale?.version).toBe(now?.version);
              if (may) {
                if (condition !== "match_old") seen.set(key, now?.version ?? old);
                model.set(key, {
                  value,
                  version: ++version,
                  endsMs: ttlMs === null ? Number.POSITIVE_INFINITY : nowMs + ttlMs,
                });
                signals.push(`set ${key} ${version}`);
                expect(outcome).toMatchObject({ made: now === undefined, note: { version, by: "t" } });
              }
            } else {
              const outcome = book.remove({ key, by: "t", ifMatch: conditions.ifMatch }, nowMs);
              const holds = now !== undefined && (conditions.ifMatch === undefined || may);
              expect("removed" in outcome).toBe(holds);
              if (holds) {
                model.delete(key);
                signals.push(`deleted ${key} ${++version}`);
              }
            }
          }
          for (const one of KEYS) {
            const known = model.get(one);
            const there = known !== undefined && known.endsMs > nowMs ? known : undefined;
            const got = book.get(one, nowMs);
            expect(got === undefined ? undefined : [JSON.parse(got.valueJson), got.version]).toEqual(
              there && [{ value: there.value }, there.version],
            );
          }
          const all = [...rows.notes.values()];
          expect(book.totals).toEqual({
            version,
            notes: model.size,
            bytes: all.reduce((sum, { valueJson }) => sum + valueJson.length, 0),
          });
        }
        expect(book.takeChanges().map(({ change, key, version: of }) => `${change} ${key} ${of}`)).toEqual(signals);
      }),
      { numRuns: 1_000 },
    );
  });

  it("lose no update of writers who change what they have read, however their steps mix", () => {
    const writer = fc.nat(4);
    fc.assert(
      fc.property(fc.array(writer, { maxLength: 120 }), (turns) => {
        const { book } = newBook();
        const read = new Map<number, { n: number; version: number | undefined }>();
        let written = 0;
        for (const who of turns) {
          const known = read.get(who);
          if (known === undefined) {
            const note = book.get("count", 0);
            const n = note === undefined ? 0 : (JSON.parse(note.valueJson) as { n: number }).n;
            read.set(who, { n, version: note?.version });
            continue;
          }
          const { n, version } = known;
          const conditions = version === undefined ? { ifNoneMatch: "*" as const } : { ifMatch: [version] };
          if ("note" in book.put(aPut("count", { n: n + 1 }, conditions), 0)) written += 1;
          read.delete(who);
        }
        const now = book.get("count", 0);
        expect(now === undefined ? 0 : JSON.parse(now.valueJson).n).toBe(written);
      }),
      { numRuns: 1_000 },
    );
  });

  it("are refused beyond what an ecosystem and a task may have, and can still be changed then", () => {
    const { book } = newBook();
    for (let n = 0; n < NOTE_LIMITS.ofTask; n++) expect(book.put(aPut(`task/t/${n}`, {}), 0)).toHaveProperty("note");
    expect(book.put(aPut("task/t/more", {}), 0)).toEqual({ full: "ofTask" });
    expect(book.put(aPut("task/t/1", { n: 1 }), 0)).toHaveProperty("note");
    expect(book.put(aPut("task/u/1", {}), 0)).toHaveProperty("note");
    book.totals.notes = NOTE_LIMITS.notes;
    expect(book.put(aPut("other", {}), 0)).toEqual({ full: "notes" });
    book.totals.bytes = NOTE_LIMITS.bytes;
    expect(book.put(aPut("task/t/1", { n: 12 }), 0)).toEqual({ full: "bytes" });
    expect(book.put(aPut("task/t/1", { n: 2 }), 0)).toHaveProperty("note");
  });

  it("have another version after they were deleted and made anew", () => {
    const { book } = newBook();
    book.put(aPut("a", { n: 1 }), 0);
    book.remove({ key: "a", by: "t" }, 0);
    book.put(aPut("a", { n: 1 }), 0);
    expect(book.put(aPut("a", { n: 2 }, { ifMatch: [1] }), 0)).toMatchObject({ stale: { version: 3 } });
  });
});

function conditionsOf(
  condition: string,
  now: number | undefined,
  old: number,
): Pick<NotePut, "ifMatch" | "ifNoneMatch"> {
  switch (condition) {
    case "match":
      return { ifMatch: now === undefined ? [old] : [now] };
    case "match_old":
      return { ifMatch: [old] };
    case "match_any":
      return { ifMatch: "*" };
    case "create":
      return { ifNoneMatch: "*" };
    case "unless_known":
      return { ifNoneMatch: [old] };
    default:
      return {};
  }
}

describe("keys of notes", () => {
  it("say what a note is about", () => {
    expect(["task/a/b", "task/user/234/plan", "agent/coder/plan", "deploy/freeze", "tasks"].map(subjectOf)).toEqual([
      { kind: "task", rest: "a/b" },
      { kind: "task", rest: "user/234/plan" },
      { kind: "agent", rest: "coder/plan" },
      { kind: "ecosystem" },
      { kind: "ecosystem" },
    ]);
    expect(["agent/coder/plan", "agent/coder", "task/a/b"].map(agentOf)).toEqual(["coder", undefined, undefined]);
  });

  it("are refused where they are no path, or name a task and no note", () => {
    const refused = ["", "/a", "a/", "a//b", "../a", "a b", "ä", "x".repeat(513), "task", "task/a", "agent/a"];
    expect(refused.filter((key) => keyProblem(key) === undefined)).toEqual([]);
    expect(["a", "x".repeat(512), "task/a/b", "A.b_c:d@e~f-g/1"].flatMap((key) => keyProblem(key) ?? [])).toEqual([]);
  });
});

describe("tags of notes", () => {
  it("are read as clients and proxies write them", () => {
    expect(['"42"', ' W/"42" , "7"', "*", '"abc"', '""'].map(readTags)).toEqual([[42], [42, 7], "*", [], []]);
    expect(["", "42", '"42', '"1" "2"', Array(40).fill('"1"').join()].map(readTags)).toEqual(Array(5).fill(undefined));
  });
});

describe("notes that a worker gets with its task", () => {
  it("are the last changes, as many as there is room for, and the rest is counted", () => {
    const note = (version: number, chars: number): StoredNote => ({
      key: `task/t/${version}`,
      valueJson: JSON.stringify({ text: "x".repeat(chars) }),
      version,
      createdMs: 0,
      changedMs: 0,
      expiresMs: null,
      by: "t",
    });
    const read = (notes: StoredNote[]) => JSON.parse(`{${handedFields(notes) ?? ""}}`);
    expect(read([])).toEqual({});
    expect(read([note(1, 1), note(2, 1)]).notes.map(({ version }: { version: number }) => version)).toEqual([2, 1]);
    const many = read([1, 2, 3, 4].map((version) => note(version, 12_000)));
    expect([many.notes.map(({ version }: { version: number }) => version), many.notes_left_out]).toEqual([[4, 3], 2]);
    expect(JSON.stringify(many).length).toBeLessThan(NOTE_LIMITS.handedBytes + 200);
  });
});
