import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

type Task = () => Promise<void> | void;

const tasks: Task[] = [];
const eachTest: Task[] = [];

/** Runs `task` when the tests of this file are over, the last one registered first. */
export function atEnd(task: Task): void {
  tasks.push(task);
}

/** Runs `task` after each test, also of files to which it is of no use: a module that says so is imported once for all. */
export function afterEachTest(task: Task): void {
  eachTest.push(task);
}

/** Called after each test, see test/setup-cleanup.ts. */
export async function endTest(): Promise<void> {
  for (const task of eachTest) await task();
}

/** Called at the end of each test file, see test/setup-cleanup.ts: files share the modules that they import. */
export async function cleanUp(): Promise<void> {
  const errors: unknown[] = [];
  for (const task of tasks.splice(0).reverse()) {
    try {
      await task();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, "cleaning up failed");
}

/** A directory of its own, gone when the tests of this file are over. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-"));
  // A process that was killed a moment ago may still put a last file into it.
  atEnd(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));
  return directory;
}
