import { describe, expect, test } from "vitest";
import { GroupCommit } from "../../../src/core/log/group-commit.ts";
import type { AppendOutcome, AppendRequest } from "../../../src/core/log/log-api.ts";
import type { NewSignal } from "../../../src/core/signals/signal.ts";

const signal: NewSignal = {
  id: undefined,
  signal: "Q_A_B",
  source: "s",
  timestampMs: undefined,
  factsJson: "{}",
  cause: undefined,
  trace: undefined,
  depth: undefined,
};
const request = (count = 1): AppendRequest => ({ signals: Array.from({ length: count }, () => signal) });

/** A log that notes its groups; a pause ends when the test says so. */
function aLog(capacity?: number) {
  const groups: number[] = [];
  const answers: AppendOutcome[] = [];
  let resume = () => {};
  const commits = new GroupCommit({
    commit: (requests) => {
      groups.push(requests.length);
      return requests.map(({ signals }) => ({
        first_seq: null,
        last_seq: null,
        accepted: signals.length,
        duplicates: 0,
        ids: [],
      }));
    },
    pause: () =>
      new Promise<void>((resolve) => {
        resume = resolve;
      }),
    ...(capacity === undefined ? {} : { capacity }),
  });
  return {
    groups,
    answers,
    add: (nowMs: number, count = 1) => commits.add(request(count), (outcome) => answers.push(outcome), nowMs),
    endPause: async () => {
      resume();
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}

describe("committing in groups", () => {
  test("appends that come one after the other are committed at once, each for itself", () => {
    const log = aLog();
    for (let nowMs = 0; nowMs < 20; nowMs++) log.add(nowMs);
    expect(log.groups).toEqual(Array.from({ length: 20 }, () => 1));
    expect(log.answers).toHaveLength(20);
  });

  test("a crowd shares its commits, until it has gone", async () => {
    const log = aLog();
    for (let n = 0; n < 33; n++) log.add(0);
    expect(log.groups).toEqual([1, 1, 1]);
    await log.endPause();
    expect(log.groups).toEqual([1, 1, 1, 30]);
    log.add(1);
    expect(log.answers).toHaveLength(33);
    await log.endPause();
    log.add(2);
    expect(log.groups).toEqual([1, 1, 1, 30, 1, 1]);
  });

  test("a group that holds enough does not wait for more, be it of appends or of signals", () => {
    const appends = aLog();
    for (let n = 0; n < 3 + 40 + 5; n++) appends.add(0);
    expect(appends.groups).toEqual([1, 1, 1, 40]);
    const log = aLog();
    for (let n = 0; n < 3; n++) log.add(0, 100);
    for (let n = 0; n < 6; n++) log.add(0, 100);
    expect(log.groups).toEqual([1, 1, 1, 3, 3]);
  });

  test("what would not fit into memory is refused at once, and said to come again", () => {
    const log = aLog(10);
    log.add(0, 11);
    expect(log.answers).toMatchObject([{ overloaded: true, retry_after_ms: 250 }]);
    expect(log.groups).toEqual([]);
  });
});
