import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** Output of the runtime or the Worker: a line of a `console` call, or an uncaught error. */
export interface EdgeLog {
  readonly level: "debug" | "log" | "info" | "warn" | "error";
  readonly message: string;
}

/** Of the runtime about itself, and of use to its developers alone: what follows is stacks as addresses. */
const INTERNAL = [
  /Not symbolizing stack traces because \$LLVM_SYMBOLIZER is not set/,
  /took recursive isolate lock/,
  /CODE_MOVED for unknown code block/,
];
const STACK = /stack:( (0|[a-f\d]{4,})){3,}/;
/** These lines come from the handlers of a crash, which write no JSON; a line with a stack follows. */
const CRASH = /^\*\*\* (?:std::terminate\(\)|Fatal uncaught|Received signal|Uncaught exception)/;

/** Reads what the runtime writes, a line of JSON for each entry. */
export function readRuntimeLog(stream: Readable, log: (entry: EdgeLog) => void): void {
  let crashing = false;
  createInterface({ input: stream }).on("line", (line) => {
    if (line === "") return;
    const entry = entryOf(line);
    if (INTERNAL.some((pattern) => pattern.test(entry.message))) return;
    if (CRASH.test(entry.message)) crashing = true;
    else if (!STACK.test(entry.message)) crashing = false;
    else if (!crashing) return;
    log(crashing ? { ...entry, level: "error" } : entry);
  });
}

function entryOf(line: string): EdgeLog {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry === "object" && entry !== null) {
      const { level, message } = entry as Record<string, unknown>;
      if (typeof level === "string" && typeof message === "string") return { level: knownLevel(level), message };
    }
  } catch {
    // Not every part of the runtime writes JSON.
  }
  return { level: "log", message: line };
}

function knownLevel(level: string): EdgeLog["level"] {
  return level === "debug" || level === "info" || level === "warn" || level === "error" ? level : "log";
}
