import { readFile } from "node:fs/promises";
import { Failure } from "../../failure.ts";
import { fileTrouble } from "../../file-trouble.ts";

/** @throws Failure where the file cannot be read */
export async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new Failure(fileTrouble(file, error));
  }
}
