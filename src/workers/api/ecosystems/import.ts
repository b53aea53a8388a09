import { type ExportEnd, ExportLine } from "../../../core/ecosystems/document.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory, signalLog } from "../../bindings/objects.ts";
import { invalid, Refusal } from "../http/refusal.ts";
import { type Part, partNamed, partsOf, relayPart, restart, resume, suspend } from "./parts.ts";

/**
 * Takes lines of an export. What is taken lies beside the ecosystem's own tables and counts only when the last line has
 * come, so an import that ends early changes nothing; lines that are sent again take their own place.
 *
 * @returns whether the last line was among them
 */
export async function importLines(env: Environment, eco: string, id: string, text: string): Promise<boolean> {
  const shares: { object: string; lines: string[] }[] = [];
  let end: ReturnType<typeof ExportEnd.parse> | undefined;
  for (const [number, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const read = ExportLine.safeParse(parsed(line, number));
    if (!read.success) throw unreadable(number);
    if ("ganglion_export" in read.data) await begin(env, eco, read.data.queues);
    else if ("complete" in read.data) end = read.data;
    else if ("object" in read.data) {
      const { object } = read.data;
      const last = shares.at(-1);
      if (last?.object === object) last.lines.push(line);
      else shares.push({ object, lines: [line] });
    }
  }
  for (const { object, lines } of shares) {
    const part = partNamed(env, eco, object);
    if (part === undefined) throw unknownObject(object);
    await part.transfer({ do: "stage", id, lines });
  }
  if (end === undefined) return false;
  await useAll(env, eco, id, end);
  return true;
}

async function useAll(
  env: Environment,
  eco: string,
  id: string,
  end: ReturnType<typeof ExportEnd.parse>,
): Promise<void> {
  const parts = end.objects.map((name) => {
    const part = partNamed(env, eco, name);
    if (part === undefined) throw unknownObject(name);
    return part;
  });
  // Links that follow the log that was there end with it, those of its relays, too.
  const relays = (await signalLog(env, eco).relays()).map((name) => relayPart(env, eco, name));
  await suspend(parts, id);
  for (const dryRun of [true, false]) {
    const answers = await Promise.all(parts.map((part) => part.transfer({ do: "use", id, dryRun })));
    const failed = answers.findIndex((answer) => "failed" in answer);
    const answer = answers[failed];
    if (answer === undefined || !("failed" in answer)) continue;
    await resume(parts);
    throw answer.failed === "not_empty" ? notEmpty(parts[failed]?.name ?? "") : notWhole(parts[failed]?.name ?? "");
  }
  await restart([...parts, ...relays]);
  await directory(env).touch(eco, Date.now());
  if (end.watched) await directory(env).watch(eco, true);
}

async function begin(env: Environment, eco: string, queues: Readonly<Record<string, string>>): Promise<void> {
  await refuseUnlessEmpty(await partsOf(env, eco));
  // Before their first rows: whoever deletes the ecosystem must find the queues, also after an import that ended early.
  for (const [queue, createdAt] of Object.entries(queues))
    await directory(env).addQueue(eco, queue, Date.parse(createdAt));
}

async function refuseUnlessEmpty(parts: readonly Part[]): Promise<void> {
  const answers = await Promise.all(parts.map((part) => part.transfer({ do: "look" })));
  const full = answers.findIndex((answer) => "empty" in answer && !answer.empty);
  if (full >= 0) throw notEmpty(parts[full]?.name ?? "");
}

function parsed(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw unreadable(number);
  }
}

const unreadable = (number: number) =>
  invalid("invalid-import", "Invalid import", [
    { pointer: `/lines/${number}`, message: "not a line of an export that this release reads" },
  ]);

const unknownObject = (object: string) =>
  invalid("invalid-import", "Invalid import", [
    { pointer: "/object", message: `no object is named ${object.slice(0, 64)}` },
  ]);

const notEmpty = (object: string) =>
  new Refusal(
    problem(
      "not-empty",
      409,
      "The ecosystem is not empty",
      `${object} holds something. Import into another ecosystem, or delete this one first.`,
    ),
  );

const notWhole = (object: string) =>
  new Refusal(
    problem(
      "incomplete-import",
      409,
      "The import is not complete",
      `Lines of ${object} are missing: import the document anew.`,
    ),
  );
