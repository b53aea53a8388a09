import { readdir, realpath, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { ifThere } from "../../../base/files/replace-file.ts";
import type { Candidate } from "./qualify.ts";

export type FoundPackage =
  | {
      readonly ok: true;
      /** The package's name as its directories spell it. */
      readonly name: string;
      readonly directory: string;
      readonly path: string;
      readonly pyFiles: number;
      readonly hasInit: boolean;
    }
  | { readonly ok: false; readonly reason: string };

/**
 * Finds the package's directory. The directory is below `root`, whatever path the investigation gives and wherever links
 * lead: an investigator is a program that may be wrong.
 */
export async function findPackage(root: string, { name, path }: Candidate): Promise<FoundPackage> {
  const realRoot = await ifThere(realpath(root));
  if (realRoot === undefined) return { ok: false, reason: `the root of the modules, ${root}, does not exist` };
  const named = name.split(".").join(sep);
  const places = path === undefined ? [named] : [path];
  // A hypothesis may be in capitals: UNDISCOVERED_MODULE_VISION.
  const spelt = path === undefined ? await speltOtherwise(realRoot, name.split(".")) : undefined;
  if (spelt !== undefined) places.push(spelt);
  for (const place of places) {
    const directory = await ifThere(realpath(resolve(realRoot, place)));
    if (directory === undefined) continue;
    const inside = relative(realRoot, directory);
    if (inside === "" || inside === ".." || inside.startsWith(`..${sep}`) || inside.startsWith(sep))
      return { ok: false, reason: `${place} is not below ${root}` };
    if (!(await stat(directory)).isDirectory()) return { ok: false, reason: `${place} is not a directory` };
    const files = (await readdir(directory)).filter((file) => file.endsWith(".py"));
    const hasInit = files.includes("__init__.py");
    const pyFiles = files.length - (hasInit ? 1 : 0);
    const real = inside.split(sep).join("/");
    return { ok: true, name: realName(name, real), directory, path: real, pyFiles, hasInit };
  }
  return { ok: false, reason: `there is no directory ${places.join(" or ")} below ${root}` };
}

/** @returns the one directory below `root` whose name differs in case alone; `undefined`: none, or several */
async function speltOtherwise(root: string, segments: readonly string[]): Promise<string | undefined> {
  let place = "";
  for (const segment of segments) {
    const entries = (await ifThere(readdir(resolve(root, place)))) ?? [];
    const alike = entries.filter((entry) => entry.toLowerCase() === segment.toLowerCase());
    const [found] = alike.includes(segment) ? [segment] : alike.length === 1 ? alike : [];
    if (found === undefined) return undefined;
    place = join(place, found);
  }
  return place;
}

/** Python tells names apart by case: the directories that end the path spell the name as imports must. */
function realName(name: string, path: string): string {
  const spelt = path.split("/").slice(-name.split(".").length).join(".");
  return spelt.toLowerCase() === name.toLowerCase() ? spelt : name;
}
