import { describe, expect, it } from "vitest";
import { claimFileName, isAbandoned, readClaimFileName } from "../../../src/core/file-tasks/claim.ts";
import { causeOf, readFileTask } from "../../../src/core/file-tasks/file-task.ts";
import fc from "../../fast-check.ts";

describe("a file task", () => {
  it("takes its id and worker from its path, and keeps its other fields", () => {
    expect(readFileTask({ description: "look", depth: 3 }, "review", "t1")).toEqual({
      ok: true,
      task: { task_id: "t1", worker: "review", description: "look", depth: 3 },
    });
  });

  it.each([
    [[], "a task is a JSON object", undefined],
    [null, "a task is a JSON object", undefined],
    [{ worker: "other" }, "for another worker", "/worker"],
    [{ task_id: "../../etc" }, "not valid", "/task_id"],
    [{ task_id: "a~b" }, "not valid", "/task_id"],
    [{ description: 7 }, "not valid", "/description"],
  ])("refuses %j with the reason", (value, reason, pointer) => {
    const read = readFileTask(value, "review", "t1");
    expect(read).toMatchObject({ ok: false, reason: expect.stringContaining(reason) });
    if (pointer !== undefined) expect(read).toMatchObject({ errors: [{ pointer }] });
  });
});

describe("the cause of a file task", () => {
  const task = { task_id: "t1", worker: "review" };

  it("is read from valid fields of the file only", () => {
    const trace = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
    expect(causeOf({ ...task, cause: "s1.abc", trace, depth: 3 })).toEqual({ cause: "s1.abc", trace, depth: 3 });
    expect(causeOf({ ...task, cause: "s1.abc", trace: "x", depth: 0.5 })).toEqual({ cause: "s1.abc", depth: 1 });
    expect(causeOf({ ...task, cause: "it broke" })).toBeUndefined();
    expect(causeOf(task)).toBeUndefined();
  });
});

describe("a claim of a file task", () => {
  const claim = {
    taskId: "t-1.x_y",
    nonce: "0123456789ab",
    owner: { host: "box-1.lan", boot: "0a1b2c3d", pid: 7, start: 99 },
  };

  it("is read back from its file name", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,40}$/),
        fc.stringMatching(/^[A-Za-z0-9._-]{1,40}$/),
        fc.nat(),
        (taskId, host, pid) => {
          const one = { ...claim, taskId, owner: { ...claim.owner, host, pid } };
          expect(readClaimFileName(claimFileName(one))).toEqual(one);
        },
      ),
    );
    expect(readClaimFileName("t-1.json")).toBeUndefined();
  });

  it("is abandoned when its process has ended, or on another host when its owner has not renewed it", () => {
    const dead = { host: "box-1.lan", runs: () => false, staleMs: 60_000 };
    expect(isAbandoned(claim, 0, dead)).toBe(true);
    expect(isAbandoned(claim, 1e9, { ...dead, runs: () => true })).toBe(false);
    expect(isAbandoned(claim, 60_000, { ...dead, host: "box-2" })).toBe(false);
    expect(isAbandoned(claim, 60_001, { ...dead, host: "box-2" })).toBe(true);
  });
});
