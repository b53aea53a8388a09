import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { readJsonKeeping, refusalText } from "../src/core/json/read-json.ts";
import { UsageError } from "./failure.ts";
import { fileTrouble } from "./file-trouble.ts";

/** How an option takes JSON, for its help. */
export const PAYLOAD_FORMS = "any JSON; @<file> reads a file, - the standard input";

/**
 * Reads a value of an option: JSON as it stands, `@file`, or `-` for the standard input. Numbers that JavaScript would
 * change stay as texts with the same digits.
 *
 * @param option - for errors, such as `--payload`
 */
export async function readPayload(text: string, option: string): Promise<unknown> {
  const source = text === "-" ? "the standard input" : text.startsWith("@") ? text.slice(1) : undefined;
  const json = source === undefined ? text : await contentOf(text, option);
  const reading = readJsonKeeping(json);
  if (reading.ok) return reading.value;
  const where = source === undefined ? option : `${option}: ${source}`;
  if (reading.malformed === undefined) throw new UsageError(`${where}: ${refusalText(reading)}`);
  const hint = source === undefined ? `; a text is written in quotes, as in ${option} '"text"'` : "";
  throw new UsageError(`${where} is not JSON: ${reading.malformed}${hint}`);
}

async function contentOf(text: string, option: string): Promise<string> {
  if (text === "-") return readAll(process.stdin);
  return readTextFile(text.slice(1), option);
}

/** @throws UsageError that names the option, the file and what is wrong with the file, and never its content */
export async function readTextFile(file: string, option: string): Promise<string> {
  if (file === "") throw new UsageError(`${option}: name a file after the @, as in ${option} @payload.json`);
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new UsageError(`${option}: ${fileTrouble(file, error)}`);
  }
}
