import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { BundleFile } from "../bundle.ts";
import type { RuntimeSettings } from "./settings.ts";

const require = createRequire(import.meta.url);
const VERSIONS = ["miniflare", "workerd"].map(
  (name) => (require(`${name}/package.json`) as { version: string }).version,
);

const CONFIG = "config";

/**
 * The configuration of the runtime, which is written anew where bundle, settings or versions have changed.
 *
 * @param directory - where it is kept, for its owner alone: it holds the administrator's token
 * @returns the path of its file
 */
export async function runtimeConfiguration(
  directory: string,
  bundle: BundleFile,
  settings: RuntimeSettings,
): Promise<string> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const key = createHash("sha256")
    .update(JSON.stringify([bundle.hash, VERSIONS, settings]))
    .digest("hex")
    .slice(0, 32);
  for (const name of readdirSync(directory)) if (name !== key) rmSync(join(directory, name), { recursive: true });
  const kept = join(directory, key);
  const file = join(kept, CONFIG);
  // Written last: what lies beside it is whole then.
  if (existsSync(file)) return file;
  rmSync(kept, { recursive: true, force: true });
  mkdirSync(kept, { mode: 0o700 });
  await write(kept, bundle, settings);
  return file;
}

async function write(kept: string, bundle: BundleFile, settings: RuntimeSettings): Promise<void> {
  const captured = join(kept, "captured");
  const temporary = join(kept, "temporary");
  mkdirSync(temporary);
  const child = spawn(process.execPath, [join(import.meta.dirname, "configure.ts"), bundle.path], {
    env: { ...process.env, GANGLION_RUNTIME_CONFIG: captured, TMPDIR: temporary },
    stdio: ["pipe", "ignore", "pipe"],
  });
  const [output, code] = await Promise.all([text(child.stderr), ending(child), given(child, JSON.stringify(settings))]);
  if (code !== 0 || !existsSync(captured))
    throw new Error(`The runtime cannot be configured (${code}).\n${output.trim()}`);
  rmSync(temporary, { recursive: true });
  renameSync(captured, join(kept, CONFIG));
}

function ending(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
}

/** A program that ends before it has read everything says why by its exit code. */
function given({ stdin }: ChildProcess, input: string): void {
  stdin?.on("error", () => undefined);
  stdin?.end(input);
}
