import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Puts a whole file into a watched directory. @param content - a text as it is, anything else as JSON */
export function dropFile(directory: string, name: string, content: object | string): void {
  mkdirSync(directory, { recursive: true });
  const hidden = join(directory, `.${name}.tmp`);
  writeFileSync(hidden, typeof content === "string" ? content : JSON.stringify(content));
  renameSync(hidden, join(directory, `${name}.json`));
}
