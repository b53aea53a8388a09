import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readDroppedFile } from "../../../local-agent/base/files/read-dropped-file.ts";
import { JSON_LIMITS } from "../../../src/core/json/limits.ts";
import { temporaryDirectory } from "../store/temporary-state.ts";

const read = (content: string | Buffer) => {
  const path = join(temporaryDirectory(), "a.json");
  writeFileSync(path, content);
  return readDroppedFile(path, "a.json", { content: "a test", maxBytes: 1e6, json: JSON_LIMITS });
};

describe("a dropped file", () => {
  test("keeps numbers that JSON readers would change as text", async () => {
    expect(await read('\ufeff{"id":9007199254740993}')).toMatchObject({
      kind: "json",
      value: { id: "9007199254740993" },
      keptAsText: 1,
    });
  });

  test("that is nested too deeply is refused for good, with the place", async () => {
    expect(await read(`{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`)).toMatchObject({
      kind: "unreadable",
      reason: expect.stringContaining("nested too deeply"),
      errors: [{ pointer: `/a${"/0".repeat(63)}` }],
      version: expect.any(String),
    });
  });

  test("that is not JSON may not be finished, and its content is not quoted", async () => {
    expect(await read('{"secret":')).toMatchObject({
      kind: "not_json",
      reason: "the file is not JSON: line 1, column 11: expected a value, but the text ends",
    });
    expect(await read(Buffer.from([0x22, 0xe9, 0x22]))).toMatchObject({ reason: "the file is not UTF-8" });
  });
});
