import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

const tasks: (() => Promise<void> | void)[] = [];

/** Runs `task` when the tests of this file are over, the last one registered first. */
export function atEnd(task: () => Promise<void> | void): void {
  tasks.push(task);
}

// Importing this file is enough: each test file has its own copy of it, and its own end.
afterAll(async () => {
  const errors: unknown[] = [];
  for (const task of tasks.splice(0).reverse()) {
    try {
      await task();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, "cleaning up failed");
});

/** A directory of its own, gone when the tests of this file are over. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-"));
  // A process that was killed a moment ago may still put a last file into it.
  atEnd(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));
  return directory;
}
