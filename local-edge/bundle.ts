import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "./paths.ts";

/** The output of `build.ts` for the runtime, in one file so that it is replaced whole. */
export interface Bundle {
  /** Hash of all sources, see {@link sourceHash}. */
  readonly hash: string;
  /** Miniflare's options of the Worker, as wrangler derives them from wrangler.toml; without code and without secrets. */
  readonly options: Record<string, unknown>;
  readonly modules: readonly { readonly type: "ESModule"; readonly path: string; readonly contents: string }[];
}

export const BUNDLE_FILE = join(PROJECT_ROOT, "dist", "mf.json");

/** Files and folders that decide what the bundle is. The lock file stands for the versions of all tools and libraries. */
const SOURCES = [
  "src",
  "dashboard",
  "wrangler.toml",
  "package-lock.json",
  "tsconfig.base.json",
  "tsconfig.edge.json",
  "local-edge/build.ts",
  "local-edge/build-dashboard.ts",
  "local-edge/trusted-answers.ts",
  "local-edge/bundle.ts",
];

/** @returns a hash of names and contents: times of change say nothing after a clone or a switch of branch. */
export function sourceHash(): string {
  const hash = createHash("sha256");
  for (const name of SOURCES) addToHash(hash, name);
  return hash.digest("hex");
}

function addToHash(hash: ReturnType<typeof createHash>, name: string): void {
  const path = join(PROJECT_ROOT, name);
  if (!existsSync(path)) return;
  let entries: string[];
  try {
    entries = readdirSync(path).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTDIR") throw error;
    const contents = readFileSync(path);
    // The length keeps the end of one file from passing as the start of the next.
    hash.update(`${name}\0${contents.byteLength}\0`).update(contents);
    return;
  }
  for (const entry of entries) addToHash(hash, `${name}/${entry}`);
}

/** A bundle on the disk, which is replaced whole. */
export interface BundleFile {
  readonly hash: string;
  readonly path: string;
}

/** More than the beginning of a bundle with its hash. */
const HEAD_BYTES = 128;

/** @returns whether the bundle on disk is of these sources; what it holds takes memory, and is not read for that */
function isCurrent(hash: string): boolean {
  let file: number;
  try {
    file = openSync(BUNDLE_FILE, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.toString("latin1", 0, readSync(file, head)).startsWith(`{"hash":"${hash}"`);
  } finally {
    closeSync(file);
  }
}

/** What the runtime runs, for those who look into it. See {@link upToDateBundleFile}. */
export async function upToDateBundle(): Promise<Bundle> {
  const { path } = await upToDateBundleFile();
  return JSON.parse(readFileSync(path, "utf8")) as Bundle;
}

/**
 * The Worker, built if its sources changed. Building happens in a process of its own: wrangler takes more memory than
 * all the rest of the edge, and would keep it for as long as the edge runs.
 *
 * @param building - called when a build is needed, before it starts
 */
export async function upToDateBundleFile(building: () => void = () => {}): Promise<BundleFile> {
  const hash = sourceHash();
  if (isCurrent(hash)) return { hash, path: BUNDLE_FILE };
  building();
  await runBuild();
  const built = sourceHash();
  if (!isCurrent(built)) throw new Error("The Worker's sources changed while it was being built. Start again.");
  return { hash: built, path: BUNDLE_FILE };
}

function runBuild(): Promise<void> {
  return new Promise((built, failed) => {
    const child = spawn(process.execPath, [join(PROJECT_ROOT, "local-edge", "build.ts")], {
      cwd: PROJECT_ROOT,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.once("error", failed);
    child.once("close", (code) =>
      code === 0 ? built() : failed(new Error(`The Worker does not build.\n${output.trim()}`)),
    );
  });
}
