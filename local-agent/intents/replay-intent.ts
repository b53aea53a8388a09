import { randomBytes } from "node:crypto";
import { readdir, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { shortName } from "../base/files/file-names.ts";
import { ignoreMissing } from "../base/files/ignore-missing.ts";
import { directoryInside, entryOf, OutsidePath } from "../base/files/path-inside.ts";
import { CommandRefused } from "../feature/command.ts";
import { isSameLetter } from "../store/letter-id.ts";

const DeadLetterId = z.object({ id: z.string().min(1) });
/** The part of `<name>.error.json` that a replay needs. `letter` is the dead letter's id at the edge. */
const ErrorFile = z.object({ letter: z.string(), file: z.string() });

/**
 * Puts the files of a dead letter back into the watched directory, where they are routed or dead-lettered like any
 * other. A second call completes a replay that a crash interrupted.
 *
 * @param payload - the dead letter as the edge has it; only its id counts
 * @returns names of the files that were put back; none when no file of the dead letter is left here
 * @throws CommandRefused for a payload without an id, and when an error file names a place outside of the directory, or
 * the folder of dead letters is a link that leads out of it: nothing is moved then
 */
export async function replayIntent(payload: unknown, directory: string): Promise<{ files: string[] }> {
  const letter = DeadLetterId.safeParse(payload);
  if (!letter.success) throw new CommandRefused("The payload has no id: give a dead letter with its id");
  const folder = join(directory, "dead-letter");
  await refusing(directoryInside(directory, folder));
  const files: string[] = [];
  const refused: CommandRefused[] = [];
  for (const entry of await entriesOf(folder)) {
    if (!entry.endsWith(".error.json")) continue;
    const error = await readErrorFile(join(folder, entry));
    if (error === undefined || !isSameLetter(letter.data.id, error.letter)) continue;
    try {
      const dead = `${entry.slice(0, -".error.json".length)}.json`;
      const file = await refusing(putBack(join(folder, dead), directory, error.file));
      if (file !== undefined) files.push(file);
      // Last: after a crash before this line the replay is repeated, and finds the file moved.
      await unlink(join(folder, entry)).catch(ignoreMissing);
    } catch (failure) {
      // The other files of the dead letter are put back all the same.
      if (!(failure instanceof CommandRefused)) throw failure;
      refused.push(failure);
    }
  }
  const [first] = refused;
  if (first !== undefined && files.length === 0) throw first;
  return { files };
}

/** A path that leads out of the directory is refused for good: the same request would be refused again. */
async function refusing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof OutsidePath ? new CommandRefused(error.message) : error;
  }
}

/** One rename, so that a crash leaves the file in one place or the other: in both places, it could be routed twice. */
async function putBack(dead: string, directory: string, name: string): Promise<string | undefined> {
  // The name came from a file to which other programs may write.
  entryOf(directory, name);
  // Another intent may have come under the old name, and a rename would overwrite it.
  const fresh = `${shortName(name).replace(/\.json$/i, "")}.${randomBytes(6).toString("hex")}.json`;
  try {
    await rename(dead, join(directory, fresh));
    return fresh;
  } catch (error) {
    ignoreMissing(error);
    return undefined;
  }
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    ignoreMissing(error);
    return [];
  }
}

/** @returns `undefined` for a file of another program, or of an earlier version, which names no dead letter */
async function readErrorFile(path: string): Promise<z.infer<typeof ErrorFile> | undefined> {
  try {
    return ErrorFile.safeParse(JSON.parse(await readFile(path, "utf8"))).data;
  } catch {
    return undefined;
  }
}
