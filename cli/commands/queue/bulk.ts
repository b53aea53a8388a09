import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Client } from "../../../src/client/client.ts";
import type { TaskRequest } from "../../../src/client/queue.ts";
import { readJsonKeeping, refusalText } from "../../../src/core/json/read-json.ts";
import { Failure, UsageError } from "../../failure.ts";
import { fileTrouble } from "../../file-trouble.ts";
import { print, remark } from "../../output.ts";
import { progress } from "../../terminal/progress.ts";

/** Tasks and characters of one request; the edge takes a MiB. */
const MOST = { tasks: 500, chars: 400_000 } as const;

type Common = { readonly [Field in keyof TaskRequest]?: TaskRequest[Field] | undefined };

interface BulkOptions {
  readonly queue: string;
  /** What a line does not say. */
  readonly common: Common;
  readonly json: boolean;
}

interface Line {
  readonly number: number;
  readonly task: TaskRequest;
}

/**
 * Queues a task for each line of a file, in requests of some hundreds. Nothing is sent of a file that ends before its first
 * request is full and holds an invalid line; where a later line is invalid, the error says which lines are queued already.
 */
export async function addTasks({ queues }: Client, file: string, { queue, common, json }: BulkOptions): Promise<void> {
  const shown = progress();
  let batch: Line[] = [];
  let [chars, queued, last] = [0, 0, 0];
  const send = async () => {
    if (batch.length === 0) return;
    const [first, through] = [batch[0]?.number ?? 0, batch.at(-1)?.number ?? 0];
    const receipts = await queues
      .put(
        queue,
        batch.map(({ task }) => task),
      )
      .catch((error: Error) => {
        throw new Failure(
          `lines ${first} to ${through} of ${nameOf(file)} were refused: ${error.message}. ${soFar(last)}`,
        );
      });
    for (const receipt of receipts) if (json) await print(JSON.stringify(receipt));
    queued += receipts.length;
    [last, chars, batch] = [through, 0, []];
    shown.say(`${queued} tasks queued`);
  };
  for await (const { number, text } of linesOf(file)) {
    const task = taskOf(
      text,
      common,
      () => `line ${number} of ${nameOf(file)}`,
      () => soFar(last),
    );
    if (batch.length === MOST.tasks || (batch.length > 0 && chars + text.length > MOST.chars)) await send();
    batch.push({ number, task });
    chars += text.length;
  }
  await send();
  shown.end();
  if (!json) await print(`${queued} tasks queued in ${queue}`);
  if (queued === 0) remark(`${nameOf(file)} holds no task: write one JSON object a line`);
}

const nameOf = (file: string) => (file === "-" ? "the standard input" : file);

const soFar = (last: number) =>
  last === 0 ? "No task was queued" : `Lines 1 to ${last} are queued: repair the line, and go on from line ${last + 1}`;

function taskOf(text: string, common: Common, where: () => string, done: () => string): TaskRequest {
  const reading = readJsonKeeping(text);
  const why = reading.ok
    ? undefined
    : reading.malformed === undefined
      ? refusalText(reading)
      : `not JSON: ${reading.malformed}`;
  if (why !== undefined) throw new UsageError(`${where()}: ${why}. ${done()}`);
  const value = reading.ok ? reading.value : undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UsageError(`${where()}: write a JSON object, such as {"recipient":"coder","type":"BUILD"}. ${done()}`);
  const { recipient, type, ...fields } = { ...common, payload: {}, ...value };
  for (const [name, given] of Object.entries({ recipient, type }))
    if (typeof given !== "string" || given === "")
      throw new UsageError(
        `${where()}: ${name} is missing: put it into the line, or give it on the command line. ${done()}`,
      );
  return { ...fields, recipient: String(recipient), type: String(type) };
}

async function* linesOf(file: string): AsyncGenerator<{ number: number; text: string }> {
  const input = file === "-" ? process.stdin : createReadStream(file);
  let number = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      if (text.trim() !== "") yield { number, text };
    }
  } catch (error) {
    throw new UsageError(`--bulk: ${fileTrouble(file, error)}`);
  }
}
