import { readdir, realpath, stat } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import { ifThere } from "../../../base/files/replace-file.ts";
import type { Candidate } from "./qualify.ts";

export type FoundPackage =
  | {
      readonly ok: true;
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
  // A hypothesis may be in capitals: UNDISCOVERED_MODULE_VISION.
  const places = path === undefined ? [named, named.toLowerCase()] : [path];
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
    return { ok: true, directory, path: inside.split(sep).join("/"), pyFiles, hasInit };
  }
  return { ok: false, reason: `there is no directory ${places.join(" or ")} below ${root}` };
}
