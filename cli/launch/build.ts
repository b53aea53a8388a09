import { createHash } from "node:crypto";
import { mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";
import { lazyModules, prelude } from "./lazy-modules.ts";

const ROOT = resolve(import.meta.dirname, "..", "..");
/** Beside the modules themselves, these decide what the built command is. */
const ALSO = ["cli/launch/build.ts", "cli/launch/lazy-modules.ts", "package-lock.json"];

/**
 * Builds the command into one file for Node from 20 on.
 *
 * @param root - of the sources, from the place of the file: what the command reads beside its code lies below
 * @returns the files that it was made of, from the root
 */
export async function buildCommand(file: string, root = relative(dirname(file), ROOT)): Promise<string[]> {
  const { metafile, outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [join(ROOT, "cli", "main.ts")],
    outfile: file,
    write: false,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    mainFields: ["module", "main"],
    // Names stay: the stack of an error is readable.
    minifyWhitespace: true,
    minifySyntax: true,
    // Every character is then a byte, and V8 needs half of the memory for the text.
    charset: "ascii",
    legalComments: "none",
    metafile: true,
    logLevel: "silent",
    plugins: [lazyModules(ROOT)],
    banner: { js: prelude(root) },
  });
  const text = outputFiles.map((output) => output.text).join("");
  // By its first line the launcher knows what it has compiled of this very text.
  write(file, `//${createHash("sha256").update(text).digest("hex").slice(0, 32)}\n${text}`);
  return Object.keys(metafile.inputs)
    .filter((name) => !name.startsWith("shared:"))
    .map((name) => relative(ROOT, resolve(ROOT, name.replace(/^lazy:/, ""))));
}

/**
 * Builds the command of this clone, and records what it was made of, so that the next call knows whether it is that still. The
 * lock file stands for the packages.
 */
export async function buildOwnCommand(file: string, record: string): Promise<void> {
  const beganMs = Date.now();
  const own = (await buildCommand(file)).filter((name) => !name.startsWith("node_modules/"));
  const files = [...ALSO, ...own].map((name) => {
    const { mtimeMs, size } = statSync(join(ROOT, name));
    return [name, mtimeMs, size] as const;
  });
  // A file that was changed meanwhile may be in the build as it was before: then the next call builds again.
  if (files.every(([, mtimeMs]) => mtimeMs < beganMs)) write(record, JSON.stringify({ files }));
}

/** Two builds at a time write the same thing, and no reader sees half of it. */
function write(file: string, contents: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, contents);
  renameSync(temporary, file);
}
