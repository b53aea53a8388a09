import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { UsageError } from "../failure.ts";
import { fileTrouble } from "../file-trouble.ts";

/**
 * Reads a secret from a file, or with `-` from the standard input: what stands on a command line is in the history of
 * the shell and in the list of processes.
 *
 * @throws UsageError with the reason, and never with the content of the file
 */
export async function readSecret(file: string, what: string): Promise<string> {
  const text = (await readText(file)).trim();
  const where = file === "-" ? "the standard input" : file;
  if (text === "") throw new UsageError(`${where} holds no ${what}`);
  if (!/^[\x21-\x7e]{1,512}$/.test(text)) {
    throw new UsageError(`${where} does not hold a ${what}: one word of plain characters, 512 at most`);
  }
  return text;
}

/**
 * Reads a file, or with `-` the standard input.
 *
 * @throws UsageError with the reason, and never with the content of the file
 */
export async function readText(file: string): Promise<string> {
  try {
    // As a stream: a synchronous read of a standard input that has nothing to give yet fails (EAGAIN).
    return await (file === "-" ? readAll(process.stdin) : readFile(file, "utf8"));
  } catch (error) {
    throw new UsageError(fileTrouble(file, error));
  }
}
