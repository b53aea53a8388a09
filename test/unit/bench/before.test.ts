import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { checkoutAt, PossibleWorks } from "../../../bench/compare/before.ts";
import { comparedFigures } from "../../../bench/compare/figures.ts";
import { FIGURES, FULL, type Results, WORKS } from "../../../bench/compare/works.ts";
import type { ReachedEdge } from "../../../bench/edge-under-test.ts";

describe("the checkout that is compared with", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "checkout-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test("needs an edge and what that needs", () => {
    expect(() => checkoutAt(directory)).toThrow("is no checkout of the project, it has no local-edge/main.ts");
    mkdirSync(join(directory, "local-edge"));
    writeFileSync(join(directory, "local-edge", "main.ts"), "");
    expect(() => checkoutAt(directory)).toThrow("has no node_modules; run npm ci there first");
    mkdirSync(join(directory, "node_modules"));
    expect(checkoutAt(directory)).toBe(directory);
  });
});

describe("the works that another version of the edge does", () => {
  const edge: ReachedEdge = { url: "http://127.0.0.1:1", token: "t" };
  beforeEach(() => {
    vi.spyOn(console, "error").mockImplementation(() => {});
  });
  afterEach(() => vi.restoreAllMocks());

  test("are all but those that it fails, which are not tried again", async () => {
    let tries = 0;
    const possible = new PossibleWorks(edge, "before", [
      {
        figures: ["pickup"],
        run: async () => {
          tries++;
          throw new Error("Unexpected server response: 404");
        },
      },
      { figures: ["enqueue"], run: async () => ({ enqueue: 7 }) },
    ]);
    expect([await possible.run(FULL), await possible.run(FULL)]).toEqual([{ enqueue: 7 }, { enqueue: 7 }]);
    expect(tries).toBe(1);
    expect([...possible.leftOut]).toEqual([["pickup", "Unexpected server response: 404"]]);
    expect(console.error).toHaveBeenCalledExactlyOnceWith(
      "  before is left out of pickup: Unexpected server response: 404",
    );
  });

  test("are cut off when they get no answer, and leave nothing open", async () => {
    let cut = false;
    const possible = new PossibleWorks(
      edge,
      "before",
      [
        {
          figures: ["pickup"],
          run: ({ until }) => {
            until?.addEventListener("abort", () => {
              cut = true;
            });
            return new Promise(() => {});
          },
        },
        {
          figures: ["enqueue"],
          run: async () => {
            expect(cut).toBe(true);
            return { enqueue: 7 };
          },
        },
      ],
      10,
    );
    expect(await possible.run(FULL)).toEqual({ enqueue: 7 });
    expect([...possible.leftOut]).toEqual([["pickup", "not done within 0.01 s"]]);
  });

  test("give each figure once", () => {
    const derived = ["enqueue_behind_100k_of_none"];
    expect([...WORKS.flatMap(({ figures }) => figures), ...derived].toSorted()).toEqual(
      Object.keys(FIGURES).toSorted(),
    );
  });
});

describe("the compared figures", () => {
  const rounds = (...values: number[]): Results[] => values.map((pickup) => ({ pickup }));
  const played = {
    edge: { name: "edge", rounds: rounds(1, 2, 3) },
    floor: { name: "floor", rounds: rounds(1, 1, 1) },
    peers: [{ name: "bullmq", rounds: rounds(4, 4, 5) }],
  };
  const pickupOf = (all: Parameters<typeof comparedFigures>[0]) =>
    comparedFigures(all).find(({ figure }) => figure === "pickup");

  test("hold the median and range of another checkout, and of the ratios of each round", () => {
    const before = { name: "before", rounds: rounds(2, 2, 6), leftOut: new Map() };
    expect(pickupOf({ ...played, before })).toEqual({
      bench: "compared",
      figure: "pickup",
      unit: "ms",
      value: 2,
      range: [1, 3],
      of_floor: 2,
      of_floor_range: [1, 3],
      of_floor_target: { at_most: 1.1 },
      of_floor_met: false,
      before: 2,
      before_range: [2, 6],
      of_before: 0.5,
      of_before_range: [0.5, 1],
      compared_with: { floor: 1, bullmq: 4 },
      rounds: 3,
    });
  });

  test("compare only rounds that both did, and say why another checkout was left out", () => {
    const before = { name: "before", rounds: [{}, { pickup: 4 }, {}], leftOut: new Map() };
    expect(pickupOf({ ...played, before })).toMatchObject({ before: 4, of_before: 0.5, of_before_range: [0.5, 0.5] });
    const unable = { name: "before", rounds: [{}, {}, {}], leftOut: new Map([["pickup", "404"] as const]) };
    const figure = pickupOf({ ...played, before: unable });
    expect(figure).toMatchObject({ value: 2, before_left_out: "404" });
    expect(figure).not.toHaveProperty("before");
  });

  test("give enqueueing behind a backlog as a share of that without one", () => {
    const both = (enqueue: number, behind: number): Results => ({ enqueue, enqueue_behind_100k: behind });
    const share = comparedFigures({
      edge: { name: "edge", rounds: [both(10, 9), both(10, 10)] },
      floor: { name: "floor", rounds: [both(10, 10), both(10, 10)] },
      before: { name: "before", rounds: [both(10, 5), both(10, 5)], leftOut: new Map() },
      peers: [],
    }).find(({ figure }) => figure === "enqueue_behind_100k_of_none");
    expect(share).toMatchObject({ value: 1, range: [0.9, 1], before: 0.5, of_before: 2, of_before_range: [1.8, 2] });
  });
});
