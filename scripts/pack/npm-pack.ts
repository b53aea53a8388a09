import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { PROJECT_ROOT } from "../../local-edge/paths.ts";

const Manifest = z.object({
  version: z.string(),
  license: z.string(),
  dependencies: z.record(z.string(), z.string()),
  optionalDependencies: z.record(z.string(), z.string()),
});

export const readManifest = () => Manifest.parse(JSON.parse(readFileSync(join(PROJECT_ROOT, "package.json"), "utf8")));

/** The versions that the project has of packages. */
export function versionsOf(packages: readonly string[]): Record<string, string> {
  const { dependencies } = readManifest();
  const unknown = packages.filter((name) => dependencies[name] === undefined);
  if (unknown.length > 0)
    throw new Error(`imported packages are missing from dependencies of package.json: ${unknown.join(", ")}`);
  return Object.fromEntries(packages.map((name) => [name, dependencies[name] ?? ""]));
}

/** @returns the path of the tarball */
export function npmPack(staged: string, into: string): string {
  mkdirSync(into, { recursive: true });
  const npm = process.env.npm_execpath?.endsWith("npm-cli.js") ? [process.execPath, process.env.npm_execpath] : ["npm"];
  const [program = "npm", ...first] = npm;
  const args = [...first, "pack", "--json", "--ignore-scripts", "--pack-destination", into];
  const output = execFileSync(program, args, { cwd: staged, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const [packed] = z.array(z.object({ filename: z.string() })).parse(JSON.parse(output));
  if (packed === undefined) throw new Error("npm pack printed no file name");
  return join(into, packed.filename);
}

export function compile(config: string, into: string): void {
  const compiler = join(PROJECT_ROOT, "node_modules", ".bin", "tsc");
  execFileSync(compiler, ["-p", config, "--outDir", into], { cwd: PROJECT_ROOT, stdio: "inherit" });
}

export function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

export function writeJson(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}
