import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { beforeAll, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";
import type { AgentReport } from "../../harness/running-agent.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { first } from "../../harness/until.ts";

const execute = promisify(execFile);

const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
const directory = temporaryDirectory();
let tarballs: readonly string[] = [];
let edge: Awaited<ReturnType<typeof runEdge>>;
beforeAll(async () => {
  edge = await runEdge();
  const packed = await execute(process.execPath, ["scripts/pack.ts", directory], { cwd: PROJECT_ROOT });
  tarballs = packed.stdout.trim().split("\n");
}, 400_000);

it("is one tarball that a host installs without a clone, with an agent and a command that work", async () => {
  const [tarball = ""] = tarballs;
  expect(tarball).toMatch(/\/ganglion-\d+\.\d+\.\d+\.tgz$/);
  const prefix = join(directory, "prefix");
  await execute("npm", ["install", "--global", `--prefix=${prefix}`, ...options, tarball], { timeout: 300_000 });

  const home = { HOME: directory, XDG_CONFIG_HOME: undefined, XDG_STATE_HOME: undefined };
  const run = (name: string, args: readonly string[], env: Record<string, string | undefined> = {}) =>
    new RunningProcess([join(prefix, "bin", name), ...args], { cwd: "/", env: { ...home, ...env } });
  const version = run("ganglion-agent", ["--version"]);
  expect(await version.ended, version.lines.join("\n")).toBe(0);
  expect(tarball).toContain(version.lines[0]);
  const command = run("ganglion", ["--version"]);
  expect([await command.ended, command.lines]).toEqual([0, version.lines]);
  expect(readFileSync(join(prefix, "share/man/man1/ganglion.1"), "utf8")).toContain(".TH GANGLION 1");

  const config = join(directory, "agent.yaml");
  const token = join(directory, "token");
  const code = join(directory, "code");
  mkdirSync(code);
  writeFileSync(join(code, "one.py"), "def answer():\n    return 42\n");
  writeFileSync(token, edge.token, { mode: 0o600 });
  writeFileSync(
    config,
    `edge: { url: "${edge.url}", token_file: token }\nhost: { id: packed }\nbus: { enabled: false }\nsampler: { enabled: false }\nintelligence: { roots: [${code}] }\n`,
  );
  const check = run("ganglion-agent", ["check", "--config", config]);
  expect(await check.ended, check.lines.join("\n")).toBe(0);
  const agent = run("ganglion-agent", ["run", "--config", config]);
  await agent.message<AgentReport>(({ link }) => link?.state === "connected", "the agent's link");
  await agent.message<AgentReport>(
    ({ sources }) => sources?.some(({ detail }) => detail === "answers about 1 code roots") === true,
    "the index, which is a thread with modules of its own",
  );
  // An installed agent keeps its state where the user's programs do.
  const intents = join(directory, ".local/state/ganglion/intents");
  writeFileSync(join(intents, "one.json"), '{"id":"one","type":"ask","data":{"question":"Does it work?"}}');
  const asked = first(
    edge.client().follow({ after: 0, signals: ["Q_CURIOSITY_*"] }),
    () => true,
    "the intent's signal",
  );
  expect((await asked).facts).toMatchObject({ question: "Does it work?" });
  const signals = run("ganglion", ["--json", "--url", edge.url, "--token-file", token, "signals"]);
  expect(await signals.ended, signals.lines.join("\n")).toBe(0);
  expect(signals.lines.join("")).toContain("Does it work?");
  expect(await agent.stop()).toBe(0);
}, 400_000);

it("names the file, the line and the function in which its agent fails, and that file has that line", async () => {
  const root = join(directory, "prefix/lib/node_modules/ganglion");
  const program = `require(${JSON.stringify(join(root, "modules.cjs"))}).requireFrom(${JSON.stringify(root)})("./local-agent/base/log.js").textLine()`;
  const failed = await execute(process.execPath, ["--eval", program]).catch((error: { stderr: string }) => error);
  const [, file = "", line = ""] = /at (?:Object\.)?textLine \((\S+):(\d+):\d+\)/.exec(failed.stderr) ?? [];
  expect(file).toBe(join(root, "local-agent/base/log.js"));
  expect(readFileSync(file, "utf8").split("\n")[Number(line) - 1]).toContain("function textLine(");
}, 60_000);

it("has a client for Node, for Workers and for a strict compiler", async () => {
  const tarball = tarballs[1] ?? "";
  expect(tarball).toMatch(/\/ganglion-client-\d+\.\d+\.\d+\.tgz$/);
  const project = join(directory, "project");
  const file = (name: string, text: string) => {
    mkdirSync(project, { recursive: true });
    writeFileSync(join(project, name), text);
    return join(project, name);
  };
  file("package.json", JSON.stringify({ private: true, type: "module" }));
  const installed = await execute("npm", ["install", ...options, "--loglevel=warn", tarball], { cwd: project });
  expect(installed.stderr).toBe("");

  const { url, token } = edge;
  await edge.client().emit({ signal: "Q_PACKED", source: "test", facts: { n: 1 } });
  const program = file(
    "program.mjs",
    `import { createClient } from "@ganglion/client";
     import { nodeFetch, openSocketSource } from "@ganglion/client/node";
     const options = ${JSON.stringify({ url, token })};
     for (const more of [{}, { fetch: nodeFetch, openSource: openSocketSource }])
       for await (const { signal, facts } of createClient({ ...options, ...more }).follow({ after: 0, signals: ["Q_PACKED"] })) {
         console.log(signal, facts.n);
         break;
       }
     process.exit(0);`,
  );
  // The Node of the machine may be an older one.
  for (const node of ["node", process.execPath])
    expect((await execute(node, [program])).stdout).toBe("Q_PACKED 1\nQ_PACKED 1\n");

  const source = file(
    "program.ts",
    `import { type Client, createClient, type Gap, type Signal } from "@ganglion/client";
     import { openSocketSource, work } from "@ganglion/client/node";
     const client: Client = createClient({ url: "", token: "", openSource: openSocketSource });
     export const gaps: readonly Gap[] = await client.gaps();
     export const follow = async (take: (signal: Signal) => void) => {
       for await (const signal of client.follow({ after: 0 })) take(signal);
     };
     work("q", "r", (task) => task.payload, { url: "", token: "" });
     // @ts-expect-error there is no such call
     client.nothing();`,
  );
  const strict = [
    "--strict",
    "--noEmit",
    "--module",
    "nodenext",
    "--target",
    "es2023",
    "--lib",
    "es2023,dom,dom.iterable",
  ];
  await execute(join(PROJECT_ROOT, "node_modules/.bin/tsc"), [...strict, "--types", "", source], { cwd: project });

  const worker = file(
    "worker.mjs",
    `import { createClient } from "@ganglion/client";
     export default {
       fetch: async () => Response.json(await createClient(${JSON.stringify({ url, token })}).signal("1").catch((error) => error.name)),
     };`,
  );
  const { outputFiles } = await build({ entryPoints: [worker], bundle: true, format: "esm", write: false });
  const workerd = new Miniflare(
    convertV4MiniflareOptions({
      modules: [{ type: "ESModule", path: join(project, "worker.mjs"), contents: outputFiles[0]?.text ?? "" }],
      modulesRoot: project,
      compatibilityDate: "2026-01-01",
      cf: false,
    }),
  );
  atEnd(() => workerd.dispose());
  expect(await (await workerd.dispatchFetch("http://worker/")).json()).toBe("ApiProblem");
}, 400_000);
