import { describe, expect, test } from "vitest";
import { dueList } from "../../../dashboard/expectations/due.ts";
import { settingOf, whatIf } from "../../../dashboard/gaps/evidence.ts";
import { linePath, scaleOf } from "../../../dashboard/gaps/line-path.ts";
import { bandOf, frameOf, lineOf, nearest, timeLabel } from "../../../dashboard/history/geometry.ts";
import { type Columns, columnsOf, metricsIn, rangeOf, stepOf } from "../../../dashboard/history/series.ts";
import { LiveBuffer } from "../../../dashboard/live/live-buffer.ts";
import { lineChanges } from "../../../dashboard/policies/lines.ts";
import {
  effectForm,
  linesOf,
  mapOf,
  namesIn,
  newEffect,
  withEffect,
  withEffectField,
  withField,
} from "../../../dashboard/policies/rule-form.ts";
import { readRule, ruleText } from "../../../dashboard/policies/rule-text.ts";
import type { HistoryPoint } from "../../../src/core/introspection/api.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import fc from "../../fast-check.ts";

const T0 = Date.parse("2026-01-31T12:00:00Z");
const point = (seconds: number, mean: number): HistoryPoint => ({
  ts: new Date(T0 + seconds * 1_000).toISOString(),
  count: 1,
  mean,
  min: mean - 1,
  max: mean + 1,
  p50: mean,
  p95: mean,
});
const SETTINGS = {
  cpu_percent_above: 90,
  cpu_percent_clear: 85,
  gpu_percent_below: 50,
  gpu_percent_clear: 55,
  min_samples: 5,
};

describe("the evidence of a gap", () => {
  test("finds the settings from which its thresholds came, also below which is too little", () => {
    expect(settingOf(90, "cpu_percent", SETTINGS)).toEqual({
      name: "cpu_percent_above",
      clearName: "cpu_percent_clear",
    });
    expect(settingOf(50, "gpu_utilization", SETTINGS)).toEqual({
      name: "gpu_percent_below",
      clearName: "gpu_percent_clear",
    });
    expect(settingOf(7, "cpu_percent", SETTINGS)).toBeUndefined();
  });

  const steps = (...values: number[]) => values.flatMap((value) => Array.from({ length: 5 }, () => value));

  test("says how often other thresholds would have raised the gap: between both it stays as it is", () => {
    const values = steps(80, 95, 88, 95, 80, 95);
    expect(whatIf(values, { raise: 90, clear: 85, worse: "above" })).toEqual({
      beyond: 15,
      samples: 30,
      raised: 2,
      open: true,
    });
    expect(whatIf(values, { raise: 90, clear: 89, worse: "above" })).toMatchObject({ raised: 3 });
    expect(whatIf(values, { raise: 96, clear: 85, worse: "above" })).toMatchObject({ raised: 0, open: false });
  });

  test("says so, too, where less is worse", () => {
    expect(whatIf(steps(60, 40, 60), { raise: 50, clear: 55, worse: "below" })).toMatchObject({
      raised: 1,
      open: false,
    });
  });

  test("judges no single sample, as scanners do not", () => {
    expect(whatIf([10, 10, 99, 10, 10, 10, 10], { raise: 90, clear: 85, worse: "above" })).toMatchObject({
      beyond: 1,
      raised: 0,
    });
  });

  test("is drawn within its frame", () => {
    const samples = [10, 20].map((value, place) => ({ at: new Date(T0 + place * 1_000).toISOString(), value }));
    const scale = scaleOf(samples, [15, 30]);
    expect([scale.low, scale.high]).toEqual([10, 30]);
    expect(linePath(samples, scale, 100, 100)).toMatch(/^M0\.0 [\d.]+L100\.0 [\d.]+$/);
  });
});

describe("the history", () => {
  test("shows the last hour unless the URL says otherwise", () => {
    expect(rangeOf({}, T0)).toEqual({ fromMs: T0 - 3_600_000, untilMs: T0, fixed: false });
    expect(rangeOf({ range: "5" }, T0).fromMs).toBe(T0 - 300_000);
    expect(rangeOf({ range: "nonsense" }, T0).fromMs).toBe(T0 - 3_600_000);
  });

  test("stands still where somebody has zoomed in", () => {
    const range = rangeOf({ since: new Date(T0).toISOString(), until: new Date(T0 + 1_000).toISOString() }, T0 + 9e9);
    expect(range).toEqual({ fromMs: T0, untilMs: T0 + 1_000, fixed: true });
  });

  test("asks for about as many steps as a chart can show", () => {
    for (const minutes of [5, 60, 1_440, 10_080]) {
      const seconds = minutes * 60;
      expect(seconds / stepOf({ fromMs: 0, untilMs: seconds * 1_000 })).toBeLessThanOrEqual(300);
    }
  });

  test("leaves a hole where nothing was measured", () => {
    const [at, mean] = columnsOf({ points: [point(0, 1), point(10, 2), point(60, 3)], step_seconds: 10 });
    expect(mean).toEqual([1, 2, null, 3]);
    expect(at[2]).toBe(T0 / 1_000 + 20);
  });

  test("knows the metrics that observations have, the most frequent first", () => {
    const observations = [
      { facts: { cpu_percent: 1, name: "x" }, ttr_ms: null },
      { facts: { cpu_percent: 2, gpu_percent: 3 }, ttr_ms: 7 },
    ];
    expect(metricsIn(observations)).toEqual(["cpu_percent", "gpu_percent", "ttr_ms", "ok"]);
    expect(metricsIn([])).toEqual([]);
  });
});

describe("the picture of a metric", () => {
  const at = T0 / 1_000;
  const size = { width: 464, height: 132, zoneSeconds: 0 };
  const columns: Columns = [
    [at, at + 100, at + 200, at + 400],
    [10, 20, null, 30],
    [0, 10, null, 30],
    [20, 40, null, 30],
    [18, 38, null, 30],
  ];

  test("places the first time left, the last right, and lets a place tell its time", () => {
    const { x, y, left, right, top, bottom, timeAt } = frameOf(columns, size);
    expect([x(at), x(at + 400)]).toEqual([left, right]);
    expect(timeAt(x(at + 100))).toBeCloseTo(at + 100);
    expect([timeAt(-50), timeAt(9_999)]).toEqual([at, at + 400]);
    expect(y(40)).toBeGreaterThan(top);
    expect(y(0)).toBeLessThan(bottom);
  });

  test("has round labels, few enough to be read, also of days in the reader's zone", () => {
    const { timeTicks, valueTicks } = frameOf(columns, size);
    expect(valueTicks).toEqual([0, 20, 40]);
    expect(timeTicks.map((time) => time - at)).toEqual([0, 120, 240, 360]);
    const week: Columns = [
      [at, at + 604_800],
      [0.1, 0.3],
      [0.1, 0.3],
      [0.1, 0.3],
      [0.1, 0.3],
    ];
    const frame = frameOf(week, { ...size, zoneSeconds: 7_200 });
    expect(frame.valueTicks).toEqual([0.1, 0.2, 0.3]);
    expect(frame.timeTicks.map((time) => (time + 7_200) % 86_400)).toEqual([0, 0, 0]);
    expect(timeLabel(at, frame)).toMatch(/^\d+\. \d\d:\d\d$/);
  });

  test("has no line and no band through a hole", () => {
    const frame = frameOf(columns, size);
    expect(lineOf(columns[0], columns[1], frame).match(/[ML]/g)).toEqual(["M", "L", "M"]);
    expect(bandOf(columns[0], columns[2], columns[3], frame).match(/[MLZ]/g)).toEqual(["M", "L", "L", "L", "Z"]);
  });

  test("shows a metric that does not change, a single point, and one that lies far from nothing", () => {
    for (const [times, values] of [
      [
        [at, at + 10],
        [7, 7],
      ],
      [[at], [0]],
      [
        [at, at + 10],
        [1e9, 1e9 + 1],
      ],
    ] as [number[], number[]][]) {
      const frame = frameOf([times, values, values, values, values], size);
      expect(lineOf(times, values, frame)).not.toMatch(/NaN|Infinity/);
      expect(frame.valueTicks.length).toBeGreaterThan(0);
      expect(frame.valueTicks.length).toBeLessThan(6);
    }
  });

  test("points at the point that is nearest", () => {
    const times = [10, 20, 40];
    expect([0, 14, 16, 31, 99].map((time) => nearest(times, time))).toEqual([0, 0, 1, 2, 2]);
  });
});

describe("expectations", () => {
  const expectation = (rule: string, sinceMs: number, dueMs: number) => ({
    rule,
    by: "",
    signal: ["DONE"],
    since: new Date(sinceMs).toISOString(),
    due: new Date(dueMs).toISOString(),
    cause: { seq: 1, id: "s1", signal: "BEGUN" },
  });

  test("stand with the next to be late first, and say what is late or nearly so", () => {
    const list = dueList(
      [
        expectation("calm", T0, T0 + 100_000),
        expectation("late", T0 - 9_000, T0 - 1),
        expectation("nearly", T0 - 9_000, T0 + 1_000),
      ],
      T0,
    );
    expect(list.map(({ rule, tone }) => [rule, tone])).toEqual([
      ["late", "critical"],
      ["nearly", "warning"],
      ["calm", "calm"],
    ]);
  });
});

describe("a comparison of two texts", () => {
  test("names the lines that were added and removed", () => {
    expect(lineChanges("a\nb\nc", "a\nx\nc").map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      "same a",
      "removed b",
      "added x",
      "same c",
    ]);
  });

  test("gives back both texts", () => {
    const text = fc.array(fc.constantFrom("a", "b", "c", ""), { maxLength: 30 }).map((lines) => lines.join("\n"));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const changes = lineChanges(before, after);
        const side = (without: string) => changes.flatMap(({ kind, text: line }) => (kind === without ? [] : [line]));
        expect(side("added").join("\n")).toBe(before);
        expect(side("removed").join("\n")).toBe(after);
      }),
    );
  });
});

describe("the text of a rule", () => {
  test("holds what somebody wrote, and nothing that the edge added", () => {
    const text = ruleText({
      id: "r",
      description: "",
      enabled: true,
      priority: 5,
      when: ["A"],
      rate: { n: 1, per: "1m" },
      then: [],
      version: 3,
      built_in: false,
      modified: false,
      changed_at: "2026-01-31T12:00:00.000Z",
      changed_by: null,
    });
    expect(Object.keys(JSON.parse(text))).toEqual(["id", "description", "enabled", "priority", "when", "rate", "then"]);
  });

  test("is refused with the reason where it is no rule", () => {
    expect(readRule("{")).toHaveProperty("problem");
    expect(readRule("[]")).toEqual({ problem: "A rule is a JSON object." });
    expect(readRule('{"when":"A"}')).toEqual({ rule: { when: "A" } });
  });
});

describe("the form of a rule", () => {
  const emit = { emit: { signal: "X", facts: { count: "facts.count > 1 ? 'a: b' : 'c'" } } };
  const enqueue = { enqueue: { queue: "q", recipient: "'r'", type: "t", priority: 3 } };
  const rule = { when: "A", where: "true", then: [emit, enqueue, { forward: { ecosystem: "e" } }] };

  test("changes what it shows and keeps everything else, in its place", () => {
    expect(withField(rule, "where", "")).toEqual({ when: "A", then: rule.then });
    expect(Object.keys(withField(rule, "when", ["A", "B"]))).toEqual(["when", "where", "then"]);
    expect(withField(rule, "cooldown", "10m")).toEqual({ ...rule, cooldown: "10m" });
    const form = effectForm(enqueue);
    expect(form && withEffectField(form, "payload", { a: "1" })).toEqual({
      enqueue: { ...enqueue.enqueue, payload: { a: "1" } },
    });
    expect(withEffect(rule, 1, undefined).then).toEqual([emit, rule.then[2]]);
    expect(withEffect(rule, 3, newEffect("webhook")).then).toEqual([...rule.then, { webhook: { endpoint: "" } }]);
  });

  test("leaves to the JSON what it cannot show whole", () => {
    expect(effectForm(emit)).toEqual({ kind: "emit", fields: emit.emit });
    for (const other of [
      rule.then[2],
      { emit: { signal: "X" }, webhook: { endpoint: "e" } },
      { emit: { signal: 7 } },
      { emit: { signal: "X", facts: { a: { deep: "1" } } } },
      { emit: { signal: "X", facts: { a: "two\nlines" } } },
      { emit: { signal: "X", facts: { "a:b": "1" } } },
      "emit",
      null,
    ])
      expect(effectForm(other)).toBeUndefined();
  });

  test("reads names and expressions as they are typed, and says which line is none", () => {
    expect(namesIn(" A, B\nC,,")).toEqual(["A", "B", "C"]);
    expect(mapOf("a: 1\n\n  b :facts.x ? 'y: z' : 'w' ")).toEqual({ map: { a: "1", b: "facts.x ? 'y: z' : 'w'" } });
    expect(mapOf("a: 1\nb")).toEqual({ problem: "“b” is not name: expression" });
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), fc.stringMatching(/^[!-~]{1,12}$/)), (map) => {
        const text = linesOf(map);
        expect(text === undefined ? map : mapOf(text)).toEqual(text === undefined ? map : { map });
      }),
    );
  });
});

describe("the buffer of the live stream", () => {
  const signal = (seq: number): Signal => ({
    seq,
    id: `s${seq}`,
    signal: "X",
    source: "a",
    ecosystem: "default",
    timestamp: "",
    received_at: "",
    facts: {},
  });

  test("asks for one frame for all signals that come before it", () => {
    const buffer = new LiveBuffer();
    expect([1, 2, 3].map((seq) => buffer.push(signal(seq)))).toEqual([true, false, false]);
    expect(buffer.signals).toEqual([]);
    buffer.flush();
    expect(buffer.signals.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(buffer.push(signal(4))).toBe(true);
  });

  test("keeps the newest of any number, and says how many left the screen and where it resumes", () => {
    const buffer = new LiveBuffer();
    for (let seq = 1; seq <= 33_333; seq++) buffer.push(signal(seq));
    buffer.flush();
    expect(buffer.signals).toHaveLength(5_000);
    expect(buffer.signals[0]?.seq).toBe(28_334);
    expect(buffer.dropped).toBe(28_333);
    expect(buffer.last).toBe(33_333);
  });
});
