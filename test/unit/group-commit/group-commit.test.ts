import { describe, expect, test } from "vitest";
import { GroupCommit } from "../../../src/core/group-commit/group-commit.ts";

/** Commits that note the sizes of their groups; turns and pauses end when the test says so. */
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
    pause: wait("pause"),
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
    /** Ends the turn or pause that goes on. */
    end: async () => {
      resume();
      for (let n = 0; n < 4; n++) await Promise.resolve();
    },
  };
}

describe("committing in groups", () => {
  test("what comes one after the other is committed at once, each for itself", async () => {
    const { groups, answers, waits, add, end } = groupsOf();
    for (let n = 0; n < 20; n++) {
      add();
      expect(answers).toHaveLength(n + 1);
      await end();
    }
    expect(groups).toEqual(Array.from({ length: 20 }, () => 1));
    expect(new Set(waits)).toEqual(new Set(["turn"]));
  });

  test("one that comes in the turn of another waits for its end, and no longer", async () => {
    const { groups, waits, add, end } = groupsOf();
    add(1, 2);
    expect(groups).toEqual([1]);
    await end();
    expect([groups, waits]).toEqual([[1, 1], ["turn"]]);
  });

  test("a crowd shares its commits, until it has gone", async () => {
    const { groups, waits, add, end } = groupsOf();
    add(1, 33);
    await end();
    add(1, 3);
    expect([groups, waits]).toEqual([[1], ["turn", "pause"]]);
    await end();
    expect(groups).toEqual([1, 35]);
    add();
    await end();
    expect(groups).toEqual([1, 35, 1]);
    add();
    expect(groups).toEqual([1, 35, 1, 1]);
  });

  test("a group that holds enough does not wait for more, be it by number or by weight", () => {
    const many = groupsOf();
    many.add(1, 1 + 40 + 5);
    expect(many.groups).toEqual([1, 40]);
    const heavy = groupsOf();
    heavy.add(100, 1 + 6);
    expect(heavy.groups).toEqual([1, 3, 3]);
    expect(heavy.answers).toEqual(Array.from({ length: 7 }, () => 100));
  });

  test("a crowd stays one as long as each moment brings more than one, be it committed early or late", async () => {
    const { groups, waits, add, end } = groupsOf();
    add(1, 1 + 40);
    expect(groups).toEqual([1, 40]);
    // All of them were enough for a group of their own: nothing is left waiting, and still a crowd is there.
    await end();
    add(1, 40);
    await end();
    add(1, 2);
    await end();
    expect([groups, waits]).toEqual([
      [1, 40, 40, 2],
      ["turn", "pause", "pause", "pause"],
    ]);
  });

  test("a weight of 256 is enough, and what fits exactly into memory is taken", () => {
    const { groups, refused, add } = groupsOf(257);
    add(1);
    add(255);
    expect(groups).toEqual([1]);
    add(1);
    expect(groups).toEqual([1, 2]);
    add(257);
    expect([groups, refused]).toEqual([[1, 2, 1], []]);
    add(258);
    expect(refused).toEqual([258]);
  });

  test("what would not fit into memory is refused at once, and nothing of it is kept", () => {
    const { groups, refused, add } = groupsOf(10);
    add(11);
    expect([groups, refused]).toEqual([[], [11]]);
  });
});
