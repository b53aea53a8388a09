import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export interface Reachable {
  /** Paths from the root, sorted. */
  readonly files: readonly string[];
  /** Names of the packages that they import, sorted. */
  readonly packages: readonly string[];
}

// No specifier holds white space: a text that ends in the word "from" is no import.
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)["']([^"'\s]+)["']/g;

/** What the entries need, and what that needs, of JavaScript modules below `root`. */
export function reachableFrom(root: string, entries: readonly string[]): Reachable {
  const files = new Set<string>();
  const packages = new Set<string>();
  const open = entries.map((entry) => join(root, entry));
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    const name = relative(root, file);
    if (files.has(name)) continue;
    files.add(name);
    for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(IMPORT)) {
      if (specifier.startsWith(".")) open.push(join(dirname(file), specifier));
      else if (!specifier.startsWith("node:")) packages.add(packageOf(specifier));
    }
  }
  return { files: [...files].sort(), packages: [...packages].sort() };
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
