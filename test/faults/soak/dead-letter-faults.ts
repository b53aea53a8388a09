import type { DeadLetter } from "../../../src/core/dead-letters/dead-letter.ts";
import type { Amounts } from "./amounts.ts";
import { SPOILED_INTENTS } from "./spoiled.ts";

/** What is not as it should be: each spoiled item is a dead letter, once, and nothing else is, but for what was given up. */
export function deadLetterFaults(deadLetters: readonly DeadLetter[], amounts: Amounts): string[] {
  const numbers = Array.from({ length: amounts.spoiled }, (_, n) => n + 1);
  const missing = new Set(
    numbers.flatMap((n) => [
      `task spoiled-${n}`,
      `reaction spoiled asked-spoiled-${n}`,
      ...Array.from({ length: SPOILED_INTENTS }, (_, place) => `intent spoiled-${n}-${place}.json`),
    ]),
  );
  const seen = new Set<string>();
  const found: string[] = [];
  for (const deadLetter of deadLetters) {
    const name = nameOf(deadLetter);
    if (seen.has(name)) found.push(`${name} is there twice`);
    seen.add(name);
    // What a bus said that forgets may never have been taken, and of what it refused the edge is told a sample.
    const isSpoiled = missing.delete(name) || /^(signal \d+|bus .+)$/.test(name);
    if (!isSpoiled && !isGivenUp(deadLetter)) found.push(`${name}: ${deadLetter.error}`);
  }
  return [...found, ...[...missing].map((name) => `${name} is lost`)];
}

/** A reaction to a good signal. */
export function isGivenUp({ kind, reaction }: DeadLetter): boolean {
  return kind === "reaction" && field(reaction, "name") === "answer";
}

function nameOf({ id, kind, task, intent, reaction, signal, daemon }: DeadLetter): string {
  if (daemon.startsWith("agent/bus/")) return `bus ${id}`;
  switch (kind) {
    case "task":
      return `task ${field(task, "task_id")}`;
    case "intent":
      return `intent ${field(intent, "file")}`;
    case "reaction":
      return `reaction ${field(reaction, "name")} ${field(reaction, "signal_id")}`;
    case "signal":
      return `signal ${field(field(signal, "facts"), "spoiled")}`;
    default:
      return kind;
  }
}

function field(item: unknown, name: string): unknown {
  return typeof item === "object" && item !== null
    ? Object.entries(item).find(([key]) => key === name)?.[1]
    : undefined;
}
