import { readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { ignoreMissing } from "../base/files/ignore-missing.ts";
import { pathInside } from "../base/files/path-inside.ts";
import { writeWhole } from "../base/files/write-whole.ts";
import { baseOf, type TaskDirectories, viaOf } from "./task-directories.ts";

/** State of a worker on one host: these fields and those of `WorkerHealth`. */
export type Heartbeat = Readonly<z.infer<typeof Heartbeat>>;
const Heartbeat = z.looseObject({ host: z.string(), timestamp: z.string() });

export interface HeartbeatOptions {
  readonly tree: TaskDirectories;
}

/** A heartbeat file of another host is deleted when it is this old. */
const KEEP_MS = 24 * 3_600_000;

/**
 * Writes a worker's heartbeat. Hosts may share the directories: each writes a file of its own, and the worker's file
 * repeats the heartbeats of all hosts, whichever host wrote it last.
 */
export async function writeHeartbeat(beat: Heartbeat, { tree }: HeartbeatOptions): Promise<void> {
  const own = `${beat.host}.json`;
  const write = async (path: string, value: object) =>
    writeWhole(await pathInside(baseOf(tree, path), path), `${JSON.stringify(value, null, 2)}\n`, {
      sync: false,
      ...viaOf(tree, path),
    });
  await write(join(tree.hostHeartbeats, own), beat);
  const hosts: Heartbeat[] = [beat];
  for (const name of await readdir(tree.hostHeartbeats)) {
    if (name === own || !name.endsWith(".json")) continue;
    const path = join(tree.hostHeartbeats, name);
    const other = await read(path);
    const ageMs = other === undefined ? 0 : Date.parse(beat.timestamp) - Date.parse(other.timestamp);
    if (ageMs > KEEP_MS) await unlink(path).catch(ignoreMissing);
    else if (other !== undefined) hosts.push(other);
  }
  hosts.sort((a, b) => (a.host < b.host ? -1 : 1));
  await write(tree.heartbeat, { ...beat, hosts });
}

/** @returns `undefined` for a file that is gone, or that another program wrote, which is left alone */
async function read(path: string): Promise<Heartbeat | undefined> {
  const text = await readFile(path, "utf8").catch(ignoreMissing);
  try {
    return Heartbeat.safeParse(JSON.parse(text ?? "")).data;
  } catch {
    return undefined;
  }
}

/** The heartbeat of the older watcher: one file a worker, of the host that wrote last. */
export async function writeClassicHeartbeat(beat: object, tree: TaskDirectories): Promise<void> {
  const path = await pathInside(baseOf(tree, tree.heartbeat), tree.heartbeat);
  await writeWhole(path, `${JSON.stringify(beat, null, 2)}\n`, { sync: false, ...viaOf(tree, path) });
}
