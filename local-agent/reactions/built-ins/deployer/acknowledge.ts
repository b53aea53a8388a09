import { lstat, mkdir, readdir, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { readJsonKeeping } from "../../../../src/core/json/read-json.ts";
import { ifThere } from "../../../base/files/replace-file.ts";

/** A larger file is not read for the name of its winner. */
const MAX_BYTES = 256 * 1024;
const ACKNOWLEDGED = "acknowledged";
const name = z.string().optional().catch(undefined);
const Promotion = z.object({ winner: name, winner_name: name });

/**
 * Moves the promotions of deployed winners into `acknowledged/`, where the monitor of promotions no longer counts them. A
 * promotion `<winner>.json`, or one whose JSON names the winner as `winner` or `winner_name`, is that winner's.
 *
 * @returns the names of the files that were moved
 */
export async function acknowledgePromotions(directory: string, winners: ReadonlySet<string>): Promise<string[]> {
  const entries = (await ifThere(readdir(directory, { withFileTypes: true }))) ?? [];
  const moved: string[] = [];
  for (const entry of entries) {
    if (!entry.isFile() || entry.name.startsWith(".") || !entry.name.endsWith(".json")) continue;
    if (!(await belongsTo(winners, directory, entry.name))) continue;
    if (await moveInto(directory, entry.name)) moved.push(entry.name);
  }
  return moved;
}

async function belongsTo(winners: ReadonlySet<string>, directory: string, file: string): Promise<boolean> {
  if (winners.has(file) || winners.has(file.slice(0, -".json".length))) return true;
  const path = join(directory, file);
  const found = await ifThere(stat(path));
  if (found === undefined || found.size > MAX_BYTES) return false;
  const reading = readJsonKeeping((await ifThere(readFile(path, "utf8"))) ?? "");
  const promotion = Promotion.safeParse(reading.ok ? reading.value : undefined).data;
  return [promotion?.winner, promotion?.winner_name].some((winner) => winner !== undefined && winners.has(winner));
}

/** @returns `false` for a file that another program took away */
async function moveInto(directory: string, file: string): Promise<boolean> {
  const path = join(directory, file);
  const folder = join(directory, ACKNOWLEDGED);
  await mkdir(folder, { recursive: true });
  const found = await ifThere(lstat(path));
  if (found === undefined) return false;
  // An earlier promotion of the same name is kept.
  const isTaken = (await ifThere(lstat(join(folder, file)))) !== undefined;
  const place = join(folder, isTaken ? `${Math.round(found.mtimeMs)}-${found.ino}-${file}` : file);
  return (await ifThere(rename(path, place).then(() => true))) ?? false;
}
