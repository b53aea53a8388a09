import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { edgeFiles, PROJECT_ROOT } from "../../local-edge/paths.ts";

/** Configurations of the runtime that edges of tests have made, by their keys. */
const SHARED = join(PROJECT_ROOT, "node_modules", ".cache", "edge-configurations");
/** Those of earlier builds are of no use. */
const KEPT_MS = 86_400_000;
/** The configuration depends on it. */
const TOKEN = `gng_admin_${"of-all-edges-of-tests".padEnd(43, "0")}`;

/**
 * Gives an edge that has no state yet the configurations that other edges of tests have made: making one takes two seconds of
 * a processor, and is the same for most.
 *
 * @returns whether it had no state
 */
export function lendConfigurations(stateDir: string): boolean {
  const { token, runtime } = edgeFiles(stateDir);
  if (existsSync(token) || existsSync(runtime)) return false;
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  mkdirSync(SHARED, { recursive: true, mode: 0o700 });
  writeFileSync(token, `${TOKEN}\n`, { mode: 0o600 });
  // The edge removes those that are not its own.
  for (const key of keysIn(SHARED)) symlinkSync(join(SHARED, key), join(runtime, key));
  return true;
}

/** Keeps what an edge has made for the next. */
export function keepConfigurations(stateDir: string): void {
  const { runtime } = edgeFiles(stateDir);
  for (const key of keysIn(runtime)) {
    if (lstatSync(join(runtime, key)).isSymbolicLink() || existsSync(join(SHARED, key))) continue;
    const temporary = join(SHARED, `.${key}.${process.pid}`);
    cpSync(join(runtime, key), temporary, { recursive: true });
    try {
      renameSync(temporary, join(SHARED, key));
    } catch (error) {
      // Another test was faster.
      if (!existsSync(join(SHARED, key))) throw error;
      rmSync(temporary, { recursive: true });
    }
    for (const other of keysIn(SHARED)) {
      const path = join(SHARED, other);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat !== undefined && Date.now() - stat.mtimeMs > KEPT_MS) rmSync(path, { recursive: true, force: true });
    }
  }
}

const keysIn = (directory: string) => readdirSync(directory).filter((name) => !name.startsWith("."));
