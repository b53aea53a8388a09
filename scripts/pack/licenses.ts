import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../local-edge/paths.ts";

/** Names of the packages that a bundle was made of, sorted. @param inputs - its files, from the root */
export function packagesOf(inputs: readonly string[]): string[] {
  const names = inputs.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** What the licenses of packages want to be handed on with their code. */
export const licensesOf = (packages: readonly string[]): string => packages.map(licenseOf).join("\n");

function licenseOf(name: string): string {
  const folder = join(PROJECT_ROOT, "node_modules", name);
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${name} is built into the command, and brings no file with its license`);
  return `${name}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}
