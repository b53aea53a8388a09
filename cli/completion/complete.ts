import type { Command } from "commander";
import { SCOPES } from "../../src/core/access/scopes.ts";
import { readContexts } from "../contexts.ts";
import { cellText, print } from "../output.ts";
import { candidates } from "./candidates.ts";

/** Word with which the scripts of the shells ask for what may stand at the cursor. */
export const COMPLETE = "__complete";

/** Prints a candidate a line, its meaning behind a tab. Whatever goes wrong, a shell that asks wants no error. */
export async function complete(root: Command, words: readonly string[]): Promise<void> {
  const found = candidates(root, words, {
    "--context": () => Object.keys(readContexts(process.env).contexts),
    "--scope": () => SCOPES,
  });
  if (found.length > 0)
    await print(found.map(({ word, meaning }) => `${word}\t${meaning === "" ? "" : cellText(meaning)}`).join("\n"));
}
