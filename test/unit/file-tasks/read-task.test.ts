import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { TaskReader } from "../../../local-agent/file-tasks/read-task.ts";
import { temporaryDirectory } from "../store/temporary-state.ts";

const read = (content: string) => {
  const path = join(temporaryDirectory(), "t.json");
  writeFileSync(path, content);
  return new TaskReader("echo").read(path, "t");
};

describe("a dropped task", () => {
  test("keeps numbers that JSON readers would change as text", async () => {
    expect(await read('{"order":9007199254740993,"n":1e400}')).toEqual({
      kind: "task",
      task: { task_id: "t", worker: "echo", order: "9007199254740993", n: "1e400" },
      keptAsText: 2,
    });
  });

  test("that is nested too deeply is invalid at once, with the place", async () => {
    expect(await read(`{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`)).toMatchObject({
      kind: "invalid",
      reason: expect.stringContaining("nested too deeply"),
      details: { errors: [{ pointer: `/a${"/0".repeat(62)}` }] },
    });
  });
});
