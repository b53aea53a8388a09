import { describe, expect, test } from "vitest";
import { GroupCommit } from "../../../src/core/group-commit/group-commit.ts";

/** Commits that note the sizes of their groups; turns and lingers end when the test says so. */
function groupsOf(capacity?: number) {
  const groups: number[] = [];
  const answers: number[] = [];
  const refused: number[] = [];
  const waits: string[] = [];
  let resume = () => {};
  const wait = (name: string) => () =>
    new Promise<void>((resolve) => {
      waits.push(name);
      resume = resolve;
    });
  const commits = new GroupCommit<number>({
    commit: (items) => {
      groups.push(items.length);
      answers.push(...items);
    },
    weigh: (weight) => weight,
    refuse: (item) => refused.push(item),
    turn: wait("turn"),
    linger: wait("linger"),
    ...(capacity === undefined ? {} : { capacity }),
  });
  return {
    groups,
    answers,
    refused,
    waits,
    add: (weight = 1, times = 1) => {
      for (let n = 0; n < times; n++) commits.add(weight);
    },
    addAll: (weights: readonly number[]) => commits.addAll(weights),
    /** Ends the turn or linger under way. */
    end: async () => {
      resume();
      for (let n = 0; n < 4; n++) await Promise.resolve();
    },
  };
}

describe("group commit", () => {
  test("commits items that come one after the other at once, each by itself", async () => {
    const { groups, answers, waits, add, end } = groupsOf();
    for (let n = 0; n < 20; n++) {
      add();
      expect(answers).toHaveLength(n + 1);
      await end();
    }
    expect(groups).toEqual(Array.from({ length: 20 }, () => 1));
    expect(new Set(waits)).toEqual(new Set(["turn"]));
  });

  test("commits items at once that have waited for each other already, as one group", () => {
    const { groups, addAll } = groupsOf();
    addAll([1, 1, 1]);
    expect(groups).toEqual([3]);
  });

  test("commits an item that comes during the turn of another when that turn ends", async () => {
    const { groups, waits, add, end } = groupsOf();
    add(1, 2);
    expect(groups).toEqual([1]);
    await end();
    expect([groups, waits]).toEqual([[1, 1], ["turn"]]);
  });

  test("lets the items of a burst share commits until the burst is over", async () => {
    const { groups, waits, add, end } = groupsOf();
    add(1, 33);
    await end();
    add(1, 3);
    expect([groups, waits]).toEqual([[1], ["turn", "linger"]]);
    await end();
    expect(groups).toEqual([1, 35]);
    add();
    await end();
    expect(groups).toEqual([1, 35, 1]);
    add();
    expect(groups).toEqual([1, 35, 1, 1]);
  });

  test("commits a group early when its number of items or its weight is large enough", async () => {
    const many = groupsOf();
    many.add(1, 1 + 40 + 5);
    expect(many.groups).toEqual([1, 40]);
    const heavy = groupsOf();
    heavy.add(100, 1 + 6);
    expect(heavy.groups).toEqual([1, 3]);
    await heavy.end();
    expect(heavy.groups).toEqual([1, 3, 3]);
    expect(heavy.answers).toEqual(Array.from({ length: 7 }, () => 100));
  });

  test("keeps lingering as long as each linger gathers more than one item, committed early or late", async () => {
    const { groups, waits, add, end } = groupsOf();
    add(1, 1 + 40);
    expect(groups).toEqual([1, 40]);
    // They filled a group of their own: nothing is left waiting, and the burst still goes on.
    await end();
    add(1, 40);
    await end();
    add(1, 2);
    await end();
    expect([groups, waits]).toEqual([
      [1, 40, 40, 2],
      ["turn", "linger", "linger", "linger"],
    ]);
  });

  test("ends a linger early when as many items have come as in the groups before", async () => {
    const { groups, add, end } = groupsOf();
    add(1, 1 + 4);
    await end();
    await end();
    expect(groups).toEqual([1, 4]);
    add(1, 3);
    expect(groups).toEqual([1, 4]);
    add();
    expect(groups).toEqual([1, 4, 4]);
  });

  test("uses up one wait in sixteen, and so learns of senders that come a moment after the others", async () => {
    const { groups, add, end } = groupsOf();
    // Of four senders two always come first, and would be groups of two for ever.
    add(1, 1 + 2);
    await end();
    for (let wait = 1; wait <= 20; wait++) {
      await end();
      add(1, 2);
      add(1, 2);
    }
    expect(groups.slice(0, 6)).toEqual([1, 2, 2, 2, 2, 2]);
    expect(groups.slice(-4)).toEqual([4, 4, 4, 4]);
  });

  test("learns within one wait that more senders have come", async () => {
    const { groups, add, end } = groupsOf();
    add(1, 1 + 2);
    await end();
    await end();
    expect(groups).toEqual([1, 2]);
    add(1, 2 * 4 + 22);
    await end();
    expect(groups).toEqual([1, 2, 2, 2, 2, 2, 22]);
    add(1, 21);
    expect(groups).toHaveLength(7);
    add();
    expect(groups.at(-1)).toBe(22);
  });

  test("lets others have a turn after each group that is full by weight, however much comes", async () => {
    const { groups, waits, add, end } = groupsOf();
    add(256, 1 + 20);
    expect(groups).toEqual([1, 1]);
    await end();
    expect([groups, waits]).toEqual([
      [1, 1, 19],
      ["turn", "turn"],
    ]);
    add(256, 4 + 1);
    expect(groups).toEqual([1, 1, 19, 1]);
    await end();
    expect(groups).toEqual([1, 1, 19, 1, 4]);
  });

  test("lets others have a turn after a few groups of light items, however many come", async () => {
    const { groups, waits, add, end } = groupsOf();
    add(1, 1 + 40 * 6);
    expect(groups).toEqual([1, 40, 40, 40, 40]);
    await end();
    await end();
    expect([groups, waits]).toEqual([
      [1, 40, 40, 40, 40, 80],
      ["turn", "linger", "linger"],
    ]);
  });

  test("leaves a part of what waited for that turn for the next group, so that work goes on while a group is flushed", async () => {
    const { groups, answers, waits, add, end } = groupsOf();
    add(1, 3);
    await end();
    add(1, 38 + 40 * 3);
    add(2, 64);
    expect(groups).toEqual([1, 40, 40, 40, 40]);
    await end();
    expect(groups).toEqual([1, 40, 40, 40, 40, 40]);
    add(3, 16);
    expect(groups).toEqual([1, 40, 40, 40, 40, 40, 40]);
    expect(answers.slice(161)).toEqual([...Array<number>(64).fill(2), ...Array<number>(16).fill(3)]);
    expect(waits).toEqual(["turn", "linger", "linger"]);
  });

  test("holds no more than a few megabytes back for the sake of others", () => {
    const groups: number[] = [];
    const commits = new GroupCommit<number>({
      commit: (items) => groups.push(items.length),
      bytes: (bytes) => bytes,
      refuse: () => {},
      turn: () => new Promise(() => {}),
      linger: () => new Promise(() => {}),
    });
    for (let n = 0; n < 1 + 4 * 3 + 8; n++) commits.add(1024 * 1024);
    expect(groups).toEqual([1, 2, 2, 2, 2, 8]);
  });

  test("commits early at a weight of 256, and accepts an item that fits the capacity exactly", async () => {
    const { groups, refused, add, end } = groupsOf(257);
    add(1);
    add(255);
    expect(groups).toEqual([1]);
    add(1);
    expect(groups).toEqual([1, 2]);
    add(257);
    await end();
    expect([groups, refused]).toEqual([[1, 2, 1], []]);
    add(258);
    expect(refused).toEqual([258]);
  });

  test("refuses an item beyond the capacity at once and keeps nothing of it", () => {
    const { groups, refused, add } = groupsOf(10);
    add(11);
    expect([groups, refused]).toEqual([[], [11]]);
  });
});
