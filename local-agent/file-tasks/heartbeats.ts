import { readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { ignoreMissing } from "../base/files/ignore-missing.ts";
import { writeWhole } from "../base/files/write-whole.ts";
import type { DropTree } from "./task-directories.ts";

/** What a host says of a worker: see `WorkerHealth`. */
export interface Heartbeat extends Readonly<Record<string, unknown>> {
  readonly host: string;
  readonly pid: number;
  readonly timestamp: string;
}

export interface HeartbeatOptions {
  readonly tree: Pick<DropTree, "heartbeat" | "hostHeartbeats">;
  /** Where files are written before they are put in place. */
  readonly via: string;
}

/** A host that has said nothing for so long is not one of the tree's any more. */
const FORGOTTEN_MS = 24 * 3_600_000;

/**
 * Writes a worker's heartbeat (R51). A tree may be shared by hosts: each has a file of its own, which nobody else writes,
 * and the worker's file says of all of them what theirs say, whichever host wrote it last.
 */
export async function writeHeartbeat(beat: Heartbeat, { tree, via }: HeartbeatOptions): Promise<void> {
  const own = `${beat.host}.json`;
  const write = (path: string, value: object) =>
    writeWhole(path, `${JSON.stringify(value, null, 2)}\n`, { sync: false, via });
  await write(join(tree.hostHeartbeats, own), beat);
  const hosts: Heartbeat[] = [beat];
  for (const name of await readdir(tree.hostHeartbeats)) {
    if (name === own || !name.endsWith(".json")) continue;
    const path = join(tree.hostHeartbeats, name);
    const other = await read(path);
    const ageMs = other === undefined ? 0 : Date.parse(beat.timestamp) - Date.parse(other.timestamp);
    if (ageMs > FORGOTTEN_MS) await unlink(path).catch(ignoreMissing);
    else if (other !== undefined) hosts.push(other);
  }
  hosts.sort((a, b) => (a.host < b.host ? -1 : 1));
  await write(tree.heartbeat, { ...beat, hosts });
}

/** @returns `undefined` for what is gone, or no heartbeat: it is somebody's, and is left alone */
async function read(path: string): Promise<Heartbeat | undefined> {
  const text = await readFile(path, "utf8").catch(ignoreMissing);
  try {
    const beat = JSON.parse(text ?? "") as Heartbeat;
    return typeof beat.host === "string" && typeof beat.timestamp === "string" ? beat : undefined;
  } catch {
    return undefined;
  }
}
