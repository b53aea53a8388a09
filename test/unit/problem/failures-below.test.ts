import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { diskTrouble } from "../../../src/workers/api/http/disk-trouble.ts";
import { answerError } from "../../../src/workers/api/http/refusal.ts";

beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
afterEach(() => void vi.restoreAllMocks());

async function answered(message: string) {
  const response = answerError(new Error(message));
  return { retryAfter: response.headers.get("retry-after"), problem: (await response.json()) as object };
}

describe("the answer to a request whose failure lies below the objects", () => {
  it.each([
    ["a full disk", "database or disk is full: SQLITE_FULL", "/problems/disk-full"],
    ["a disk that fails", "disk I/O error: SQLITE_IOERR", "/problems/disk-failed"],
    ["a write that is cut short", "disk I/O error (extended: SQLITE_IOERR_WRITE)", "/problems/disk-failed"],
    ["an object that cannot be opened", "internal error; reference = k6q2m8v1", "/problems/runtime-failed"],
    ["an error of the runtime without a reference", "internal error", "/problems/runtime-failed"],
  ])("is 503 with the time to come again for %s, and is logged", async (_, message, type) => {
    expect(await answered(message)).toMatchObject({
      retryAfter: "1",
      problem: { status: 503, type, retry_after_ms: 1_000 },
    });
    expect(console.error).toHaveBeenCalledOnce();
  });

  it.each([
    ["a full disk", "database or disk is full: SQLITE_FULL", "Free space on its disk"],
    ["a disk that fails", "disk I/O error: SQLITE_IOERR", "Repair the disk"],
  ])("makes the edge not ready for a while, with the remedy: %s", async (_, message, remedy) => {
    const nowMs = Date.now();
    await answered(message);
    expect(diskTrouble(nowMs)).toContain(remedy);
    expect(diskTrouble(nowMs + 60_000)).toBeUndefined();
  });

  it.each([
    "internal error of a rule",
    "no such table: full: SQLITE_ERROR",
    "UNIQUE constraint failed: SQLITE_CONSTRAINT",
  ])("is not given for an error of the objects: %s", async (message) => {
    expect(await answered(message)).toMatchObject({ retryAfter: null, problem: { status: 500 } });
    expect(console.error).toHaveBeenCalledOnce();
  });
});
