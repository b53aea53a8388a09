import { existsSync, readFileSync } from "node:fs";
import { expect, vi } from "vitest";
import { PATIENCE_MS } from "../harness/until.ts";

/** Lines of a file to which others append; none where there is no file yet. */
export function linesOf(path: string): string[] {
  return existsSync(path)
    ? readFileSync(path, "utf8")
        .split("\n")
        .filter((line) => line !== "")
    : [];
}

/** Resolves when the file has so many lines. @param lookMs - between two looks: the moment of the kill that follows */
export async function untilLines(path: string, count: number, lookMs: number): Promise<void> {
  await vi.waitFor(() => expect(linesOf(path).length).toBeGreaterThanOrEqual(count), {
    timeout: PATIENCE_MS,
    interval: lookMs,
  });
}
