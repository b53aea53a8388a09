import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildDashboard, readDashboard } from "../local-edge/build-dashboard.ts";
import { deployedFiles } from "../local-edge/deployed-files.ts";
import { PROJECT_ROOT } from "../local-edge/paths.ts";

/**
 * Builds the dashboard, and writes the documents of the API as static files, which Cloudflare serves without calling the
 * Worker: making the documents takes more time than a call may take on the free plan. `wrangler` runs this before each
 * deployment (`[build]` in wrangler.toml).
 *
 * Documents and headers are the answers of the Worker's own routes, so that they cannot say anything else. The edge on one
 * machine has no such files: there the Worker answers, because requests under foreign hosts must be refused.
 *
 *   node scripts/bootstrap.mjs --no-install scripts/build-assets.ts [directory]
 */

/** File of each path. Cloudflare serves `docs.html` as `/docs`. */
const FILES = { "/docs": "docs.html", "/openapi.json": "openapi.json" } as const;
/** Headers that Cloudflare makes for each file by itself. */
const OWN_TO_ROUTES: ReadonlySet<string> = new Set(["content-type", "content-length", "etag"]);
/** Named at run time: under Node's types the Worker's own sources would not compile. */
const APP = "../src/workers/app.ts";

interface Worker {
  request(path: string, init: RequestInit, env: object): Response | Promise<Response>;
}

const directory = resolve(process.argv[2] ?? join(PROJECT_ROOT, "dist", "assets"));
mkdirSync(directory, { recursive: true });
await buildDashboard(join(directory, "app"), await deployedBefore());
const { app } = (await import(APP)) as { app: Worker };
const rules: string[] = [];
for (const [path, file] of Object.entries(FILES)) {
  const answer = await ask(path, { DASHBOARD_FILES: readDashboard(join(directory, "app")) });
  write(file, new Uint8Array(await answer.arrayBuffer()));
  // Pages of any origin may read the documents: nobody asks the Worker, which knows `CORS_ORIGINS`, and they are public.
  rules.push(ruleOf(path, answer.headers, "access-control-allow-origin: *"));
}
const file = await ask("/app/assets/any.js", { DASHBOARD_FILES: { "assets/any.js": "" } });
rules.push(ruleOf("/app/assets/*", file.headers));
write("_headers", `${rules.join("\n\n")}\n`);

/**
 * The dashboard's files that the edge of GANGLION_DEPLOYED_URL serves now: pages that are open ask for them after this deployment.
 * A machine that has made the build before has them already; one that builds from nothing, such as a CI runner, has not. An edge
 * that does not answer must not keep its mending from being deployed.
 */
async function deployedBefore(): Promise<Record<string, string>> {
  const url = process.env.GANGLION_DEPLOYED_URL ?? "";
  if (url === "") return {};
  try {
    return await deployedFiles(url);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    console.warn(
      `The dashboard's files at ${url} cannot be kept: ${why}. Pages that are open will load themselves again.`,
    );
    return {};
  }
}

async function ask(path: string, env: object = {}): Promise<Response> {
  const answer = await app.request(path, {}, env);
  if (!answer.ok) throw new Error(`The Worker answers ${answer.status} for ${path}: ${await answer.text()}`);
  return answer;
}

/** The headers of an answer as Cloudflare reads them from `_headers`. The type of the content follows from the file. */
function ruleOf(path: string, headers: Headers, ...more: string[]): string {
  const own = [...headers].filter(([name]) => !OWN_TO_ROUTES.has(name)).map(([name, value]) => `${name}: ${value}`);
  return [path, ...[...own, ...more].map((line) => `  ${line}`)].join("\n");
}

/** Two builds at a time write the same thing, and no reader sees half of it. */
function write(file: string, contents: string | Uint8Array): void {
  const temporary = join(directory, `.${file}.${process.pid}.tmp`);
  writeFileSync(temporary, contents);
  renameSync(temporary, join(directory, file));
}
