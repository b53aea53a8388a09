import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CannotStart, runForTask, whyNotStartable } from "../../../cli/commands/queue/task-process.ts";
import { TaskReleased } from "../../../src/client/work/task-handler.ts";
import type { LeasedTask } from "../../../src/core/queue/api.ts";

const task: LeasedTask = {
  task_id: "t-7",
  lease_id: "l",
  recipient: "coder",
  type: "BUILD",
  priority: 2,
  attempt: 3,
  sender: "gpu-01",
  lease_expires_at: "2026-01-31T12:00:00.000Z",
  payload: { bug: 7, text: "a b" },
};

interface Given {
  readonly signal?: AbortSignal;
  readonly payload?: unknown;
  readonly graceMs?: number;
  readonly stopping?: boolean;
}

const run = (program: string, args: readonly string[], given: Given = {}) => {
  const { signal = new AbortController().signal, payload = task.payload, graceMs = 60_000, stopping = false } = given;
  const withLock = () => Promise.reject(new Error("a command locks by itself"));
  const context = { signal, evidence: () => undefined, withLock };
  return runForTask({ ...task, payload }, context, { program, args, queue: "work", graceMs }, () => stopping);
};
const shell = (script: string, given: Given = {}) => run("/bin/sh", ["-c", script], given);

describe("a command that is run for a task", () => {
  it("has the payload on its input and in its environment, and its JSON is the result", async () => {
    const words = 'printf \'{"input":%s,"env":%s,"of":"%s"}\' "$(cat)" "$GANGLION_TASK_PAYLOAD" ';
    const names = ["ID", "TYPE", "RECIPIENT", "QUEUE", "ATTEMPT", "PRIORITY", "SENDER"];
    const of = `"${names.map((name) => `$GANGLION_TASK_${name}`).join(" ")}"`;
    expect(await shell(words + of)).toEqual({
      input: task.payload,
      env: task.payload,
      of: "t-7 BUILD coder work 3 2 gpu-01",
    });
  });

  it("has a payload that is too long for a variable on its input alone", async () => {
    const payload = "x".repeat(200_000);
    expect(await shell('wc -c; test -n "$GANGLION_TASK_PAYLOAD" || echo absent', { payload })).toEqual({
      output: expect.stringMatching(/^200002\nabsent$/),
    });
  });

  it("completes with its text where that is no JSON, and with nothing where it prints nothing", async () => {
    expect(await shell("echo all good")).toEqual({ output: "all good" });
    expect(await shell("true")).toBeNull();
  });

  it("may leave its input unread", async () => {
    expect(await shell("exec <&-; echo 1", { payload: "x".repeat(1_000_000) })).toBe(1);
  });

  it("fails with its exit code and its errors as the reason", async () => {
    await expect(shell("echo no compiler >&2; exit 3")).rejects.toThrow("/bin/sh ended with exit code 3: no compiler");
    await expect(shell("kill -9 $$")).rejects.toThrow("/bin/sh was ended by SIGKILL (9)");
  });

  it("is ended with all that it has started when its task is cancelled", async () => {
    const cancelled = new AbortController();
    const script = 'sleep 1000 & echo "$!" >&2; wait';
    const done = shell(script, { signal: cancelled.signal });
    setImmediate(() => cancelled.abort());
    await expect(done).rejects.toThrow("was ended by SIGTERM");
  });

  it("is killed when it does not end in time after it was asked to", async () => {
    const cancelled = AbortSignal.abort();
    const script = "trap '' TERM; sleep 1000 & while :; do wait; done";
    await expect(shell(script, { signal: cancelled, graceMs: 50 })).rejects.toThrow(/was ended by SIG(KILL|TERM)/);
  });

  it("gives its task back when a signal ends it while the worker stops", async () => {
    await expect(shell("kill -TERM $$", { stopping: true })).rejects.toBeInstanceOf(TaskReleased);
    await expect(shell("exit 1", { stopping: true })).rejects.not.toBeInstanceOf(TaskReleased);
  });

  it("says why it cannot be started", async () => {
    await expect(run("/no/such/program", [])).rejects.toThrow(
      new CannotStart("there is no program /no/such/program: check the name after --, and the PATH"),
    );
    const file = join(mkdtempSync(join(tmpdir(), "ganglion-work-")), "do.sh");
    writeFileSync(file, "#!/bin/sh\n", { mode: 0o644 });
    await expect(run(file, [])).rejects.toThrow(/may not be run: make it executable/);
  });

  it("is looked for before a task is taken", () => {
    expect(whyNotStartable("/bin/sh")).toBeUndefined();
    expect(whyNotStartable("sh", "/nowhere:/bin")).toBeUndefined();
    expect(whyNotStartable("no-such-program")).toBe(
      "there is no program no-such-program: check the name after --, and the PATH",
    );
  });
});
