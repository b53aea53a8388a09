import { describe, expect, it } from "vitest";
import { type Change, CommitTurns } from "../../../src/core/tasks/commit-turns.ts";

/** Changes named by letters; a turn ends when the test says so. */
function turns(capacity?: number) {
  const groups: string[] = [];
  const refused: string[] = [];
  const names = new Map<Change, string>();
  let endTurn = (): void => {};
  const commits = new CommitTurns({
    commit: (changes) => groups.push(changes.map((change) => names.get(change)).join("")),
    turn: () => new Promise((resolve) => (endTurn = resolve)),
    ...(capacity === undefined ? {} : { capacity }),
  });
  return {
    groups,
    refused,
    add(letters: string): void {
      for (const name of letters) {
        const change: Change = { make: () => () => {}, refuse: () => refused.push(name) };
        names.set(change, name);
        commits.add(change);
      }
    },
    async turn(): Promise<void> {
      endTurn();
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}

describe("changes", () => {
  it("are committed at once while each comes after the turn of the one before", async () => {
    const { groups, add, turn } = turns();
    for (const name of "abc") {
      add(name);
      expect(groups.at(-1)).toBe(name);
      await turn();
    }
    expect(groups).toEqual(["a", "b", "c"]);
  });

  it("share a commit when they come while one is being written, and the group stays open while more come", async () => {
    const { groups, add, turn } = turns();
    add("abc");
    expect(groups).toEqual(["a"]);
    await turn();
    add("de");
    await turn();
    expect(groups).toEqual(["a"]);
    await turn();
    expect(groups).toEqual(["a", "bcde"]);
    add("f");
    await turn();
    expect(groups).toEqual(["a", "bcde", "f"]);
  });

  it("are not kept waiting for ever by others that keep coming", async () => {
    const { groups, add, turn } = turns();
    add("a");
    for (let n = 0; n < 40; n++) {
      add("xy");
      await turn();
    }
    expect(groups.length).toBeGreaterThan(2);
  });

  it("are refused beyond what may wait", () => {
    const { groups, refused, add } = turns(2);
    add("abcd");
    expect([groups, refused]).toEqual([["a"], ["d"]]);
  });
});
