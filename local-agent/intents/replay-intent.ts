import { randomBytes } from "node:crypto";
import { readdir, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { ignoreMissing } from "../base/files/ignore-missing.ts";
import { CommandRefused } from "../commands/host-commands.ts";

const Letter = z.object({ id: z.string().min(1) });
const ErrorFile = z.object({ letter: z.string(), file: z.string() });

/**
 * Puts the files of a dead letter back into the watched directory, where they are routed or given up like any other.
 * Called again, it finds what a crash has left over.
 *
 * @param payload - the letter as the edge has it; its id counts
 * @returns names of the files that were put back; none: there is nothing of it left here
 * @throws CommandRefused for what is no letter
 */
export async function replayIntent(payload: unknown, directory: string): Promise<{ files: string[] }> {
  const letter = Letter.safeParse(payload);
  if (!letter.success) throw new CommandRefused("give a dead letter with its id");
  const folder = join(directory, "dead-letter");
  const files: string[] = [];
  for (const entry of await listed(folder)) {
    if (!entry.endsWith(".error.json")) continue;
    const told = await readErrorFile(join(folder, entry));
    if (told?.letter !== letter.data.id) continue;
    const dead = `${entry.slice(0, -".error.json".length)}.json`;
    const file = await putBack(join(folder, dead), directory, told.file);
    if (file !== undefined) files.push(file);
    // Last: after a crash before this line it is done again, and finds the file moved.
    await unlink(join(folder, entry)).catch(ignoreMissing);
  }
  return { files };
}

/** One step, so that a crash leaves the file in one place or the other: in both, it could be routed twice. */
async function putBack(dead: string, directory: string, name: string): Promise<string | undefined> {
  // Another intent may have come under the old name, and a rename would overwrite it.
  const fresh = `${name.slice(0, -".json".length)}.${randomBytes(6).toString("hex")}.json`;
  try {
    await rename(dead, join(directory, fresh));
    return fresh;
  } catch (error) {
    ignoreMissing(error);
    return undefined;
  }
}

async function listed(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    ignoreMissing(error);
    return [];
  }
}

/** @returns `undefined` for a file of somebody else, or of an earlier version, which tells of no letter */
async function readErrorFile(path: string): Promise<z.infer<typeof ErrorFile> | undefined> {
  try {
    return ErrorFile.safeParse(JSON.parse(await readFile(path, "utf8"))).data;
  } catch {
    return undefined;
  }
}
