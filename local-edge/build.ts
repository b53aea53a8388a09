import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { readDashboard } from "./build-dashboard.ts";
import { BUNDLE_FILE, type Bundle, sourceHash } from "./bundle.ts";
import { PROJECT_ROOT } from "./paths.ts";

/**
 * Builds the Worker into `dist/mf.json`: what `wrangler deploy` would upload, and how wrangler would have the embedded
 * runtime configured. Quiet unless it fails; needs no network and no account.
 *
 * What the local edge runs is therefore what Cloudflare would run, bundled by the same tool with the same settings.
 */

const DASHBOARD = join(PROJECT_ROOT, "dist", "assets", "app");
const CONFIG = join(PROJECT_ROOT, "wrangler.toml");
/** Files that wrangler writes beside the bundle and the runtime does not need. */
const NOT_MODULES = /^(README\.md|.*\.map)$/;

process.env.WRANGLER_SEND_METRICS = "false";
process.env.WRANGLER_HIDE_BANNER = "true"; // the banner asks the registry for a newer version
process.env.WRANGLER_LOG ??= "error";

const hash = sourceHash();
const dist = dirname(BUNDLE_FILE);
mkdirSync(dist, { recursive: true });
const output = mkdtempSync(join(dist, ".build-"));
try {
  const [, options] = await Promise.all([bundleInto(output), runtimeOptions()]);
  const modules = readdirSync(output, { recursive: true, encoding: "utf8" })
    .filter((name) => !NOT_MODULES.test(name))
    .map((name) => readModule(output, name));
  // Wrangler has run the build of the files that belong to the Worker. Here the Worker serves those of the dashboard itself.
  const bindings = { ...options.bindings, DASHBOARD_FILES: readDashboard(DASHBOARD) };
  write({ hash, options: { ...options, bindings }, modules });
} finally {
  rmSync(output, { recursive: true, force: true });
}

async function bundleInto(directory: string): Promise<void> {
  const wrangler = join(PROJECT_ROOT, "node_modules", "wrangler", "bin", "wrangler.js");
  const args = [wrangler, "deploy", "--dry-run", "--outdir", directory, "--config", CONFIG];
  try {
    await promisify(execFile)(process.execPath, args, { cwd: PROJECT_ROOT });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    process.stderr.write(`${stderr}${stdout}` || `${String(error)}\n`);
    process.exit(1);
  }
}

async function runtimeOptions(): Promise<Record<string, unknown> & { bindings: Record<string, unknown> }> {
  const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import("wrangler");
  const config = unstable_readConfig({ config: CONFIG });
  const {
    modulesRules: _,
    rootPath: __,
    bindings,
    // On one machine nobody says from which address a call comes: a proxy stands before the edge, or the machine itself calls.
    ratelimits: ___,
    // The router for files would answer for /docs before the Worker can refuse a foreign host, and costs half of the throughput.
    assets: ____,
    ...options
  } = unstable_getMiniflareWorkerOptions(CONFIG).workerOptions;
  // Wrangler adds what stands in .dev.vars and .env to the variables: a build must hold no secrets.
  const variables = Object.entries(bindings ?? {}).filter(([name]) => name in config.vars);
  return { ...options, bindings: Object.fromEntries(variables) };
}

function readModule(directory: string, name: string): Bundle["modules"][number] {
  if (!name.endsWith(".js")) {
    throw new Error(
      `The bundle has a module "${name}": local-edge/build.ts carries JavaScript only. Import it as a .ts file.`,
    );
  }
  return { type: "ESModule", path: name, contents: readFileSync(join(directory, name), "utf8") };
}

function write(bundle: Bundle): void {
  const temporary = `${BUNDLE_FILE}.${process.pid}.tmp`;
  writeFileSync(temporary, JSON.stringify(bundle));
  // Two builds at a time write the same thing: the last one stays, and no reader sees half of it.
  renameSync(temporary, BUNDLE_FILE);
}
