import { describe, expect, test } from "vitest";
import { figuresTable } from "../../../bench/figures-table.ts";
import { benchOptions } from "../../../bench/options.ts";
import { hottest, largest } from "../../../bench/profile/hot-functions.ts";

describe("the table of figures", () => {
  test("has a row a figure, with its range, what it is to reach, and what stands beside it", () => {
    const table = figuresTable([
      {
        bench: "b",
        figure: "quick",
        value: 1_234.56,
        unit: "tasks/s",
        target: { at_least: 1_000 },
        range: [1_200, 1_300],
      },
      {
        bench: "b",
        figure: "slow",
        value: 6,
        unit: "ms",
        target: { at_most: 5 },
        of_floor: 1.2,
        of_floor_target: { at_most: 1.1 },
        of_floor_met: false,
        compared_with: { redis_streams: 3.25 },
      },
      { bench: "b", figure: "plain", value: 7, unit: "MB" },
    ]);
    expect(table.split("\n")).toEqual([
      "| bench | figure | value | range | target | met | beside it |",
      "| --- | --- | --- | --- | --- | --- | --- |",
      "| b | quick | 1,235 tasks/s | 1,200 – 1,300 | ≥ 1,000 | yes |  |",
      "| b | slow | 6 ms |  | ≤ 5, ≤ 1.1 of the floor | no | of the floor 1.2; redis streams 3.25 |",
      "| b | plain | 7 MB |  |  |  |  |",
    ]);
  });

  test("has columns for another checkout where one was measured, and says what it was left out of", () => {
    const table = figuresTable([
      {
        bench: "b",
        figure: "both",
        value: 50,
        unit: "/s",
        before: 40,
        before_range: [35, 44],
        of_before: 1.25,
        of_before_range: [1.1, 1.4],
      },
      { bench: "b", figure: "new", value: 1, unit: "ms", before_left_out: "the edge answered 404" },
      { bench: "c", figure: "other", value: 2, unit: "ms" },
    ]);
    expect(table.split("\n")).toEqual([
      "| bench | figure | value | range | before | now / before | target | met | beside it |",
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
      "| b | both | 50 /s |  | 40 (35 – 44) | 1.25 (1.1 – 1.4) |  |  |  |",
      "| b | new | 1 ms |  | left out: the edge answered 404 |  |  |  |  |",
      "| c | other | 2 ms |  |  |  |  |  |  |",
    ]);
  });
});

describe("the options of the benches", () => {
  const known = ["latency", "queue"];

  test("mean all benches where none is named, or all is", () => {
    for (const args of [[], ["all"], ["--md", "all"], ["queue", "all"]])
      expect(benchOptions(args, known).benches).toEqual(known);
  });

  test("name benches and the table", () => {
    expect(benchOptions(["queue", "--md"], known)).toEqual({ benches: ["queue"], markdown: true, help: false });
  });

  test("name another checkout, for the bench that compares", () => {
    const all = [...known, "compared"];
    const wanted = { benches: ["compared"], markdown: false, help: false, before: "../old" };
    expect(benchOptions(["compared", "--before", "../old"], all)).toEqual(wanted);
    expect(benchOptions(["--before=../old", "compared"], all)).toEqual(wanted);
    expect(benchOptions(["--before", "../old"], all).benches).toEqual(all);
    expect(() => benchOptions(["queue", "--before", "../old"], all)).toThrow(
      "--before is for the bench compared, which is not among those to run",
    );
    for (const args of [["--before"], ["--before="], ["--before", "--md"]])
      expect(() => benchOptions(args, all)).toThrow("--before needs the directory of another checkout of the project");
  });

  test("refuse what nobody knows, and say what there is", () => {
    expect(() => benchOptions(["queues"], known)).toThrow("no bench is called queues; there are all, latency, queue");
    expect(() => benchOptions(["--markdown"], known)).toThrow(
      "there is no option --markdown, only --md, --before DIR and --help",
    );
  });
});

describe("what a profile says is hot", () => {
  const frame = (functionName: string, lineNumber = 0) => ({ functionName, url: "file:///a/worker.js", lineNumber });

  test("is what took the most time by itself, without the time in which nothing ran", () => {
    const found = hottest({
      nodes: [
        { id: 1, callFrame: { functionName: "(idle)", url: "", lineNumber: -1 } },
        { id: 2, callFrame: frame("append", 9) },
        { id: 3, callFrame: frame("", 4) },
        // The same function, reached by another way.
        { id: 4, callFrame: frame("append", 9) },
      ],
      samples: [1, 2, 3, 4, 2],
      timeDeltas: [1_000, 100, 150, 100, 50],
    });
    expect(found).toEqual([
      { name: "append", where: "worker.js:10", self: 250, share: 0.625 },
      { name: "(anonymous)", where: "worker.js:5", self: 150, share: 0.375 },
    ]);
  });

  test("is what allocated the most by itself, however deep", () => {
    const leaf = { callFrame: frame("line", 1), selfSize: 300, children: [] };
    const found = largest({
      head: {
        callFrame: { functionName: "(root)", url: "", lineNumber: -1 },
        selfSize: 0,
        children: [{ callFrame: frame("append"), selfSize: 100, children: [leaf] }],
      },
    });
    expect(found.map(({ name, self, share }) => [name, self, share])).toEqual([
      ["line", 300, 0.75],
      ["append", 100, 0.25],
    ]);
  });
});
