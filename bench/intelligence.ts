import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";
import { IntelligenceGatherer } from "../src/client/intelligence/gatherer.ts";
import type { IntelligenceClient } from "../src/client/intelligence/intelligence-client.ts";
import { builtInLibrary } from "../src/client/intelligence/library-file.ts";
import { openIntelligence } from "../src/client/intelligence/open.ts";
import { topicsOf } from "../src/core/intelligence/topics.ts";
import { makeCodeTree } from "./code-tree.ts";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { percentile, type Report, rounded } from "./figure.ts";

/** `GANGLION_BENCH_FILES`: how many, default 10,000. */
const FILES = Number(process.env.GANGLION_BENCH_FILES) || 10_000;
const ASKED = 500;
const run = promisify(execFile);

/** A host with 10,000 files of code: its index, its answers by way of an edge, and both parsers that were compared. */
export async function intelligence(edge: EdgeUnderTest, report: Report): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-bench-code-"));
  const root = join(directory, "code");
  try {
    makeCodeTree(root, FILES);
    await indexFigures(root, directory, report);
    await liveFigures(edge, root, directory, report);
    await parserFigures(root, report);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const IndexFigures = z.object({
  files: z.number(),
  readyMs: z.number(),
  settledMs: z.number(),
  memoryMb: z.number(),
  peakMb: z.number(),
  answerP50Ms: z.number(),
  answerP95Ms: z.number(),
});

async function indexFigures(root: string, directory: string, report: Report): Promise<void> {
  const state = join(directory, "index");
  mkdirSync(state);
  for (const start of ["cold", "warm"] as const) {
    const script = join(import.meta.dirname, "index-process.ts");
    const { stdout } = await run(process.execPath, [script, root, state], { timeout: 300_000 });
    const found = IndexFigures.parse(JSON.parse(stdout));
    const say = (figure: string, value: number, unit: string, more: object = {}) =>
      report({
        bench: "intelligence",
        figure: `${start}_${figure}`,
        value: rounded(value),
        unit,
        files: found.files,
        ...more,
      });
    const warm = start === "warm";
    say("ready", found.readyMs, "ms", warm ? { target: { at_most: 2_000 } } : {});
    say("settled", found.settledMs, "ms", warm ? { target: { at_most: 2_000 } } : {});
    say("memory", found.memoryMb, "MB", { target: { at_most: 60 }, peak_mb: rounded(found.peakMb) });
    say("answer_p95", found.answerP95Ms, "ms", { target: { at_most: 100 }, p50_ms: rounded(found.answerP50Ms) });
  }
}

async function liveFigures(edge: EdgeUnderTest, root: string, directory: string, report: Report): Promise<void> {
  const config = join(directory, "agent.yaml");
  writeFileSync(config, `intelligence: { roots: [${JSON.stringify(root)}] }\n`);
  const agent = spawn(process.execPath, [join(import.meta.dirname, "../local-agent/main.ts")], {
    env: {
      PATH: process.env.PATH,
      GANGLION_URL: edge.url,
      GANGLION_TOKEN: edge.token,
      GANGLION_STATE_DIR: join(directory, "agent"),
      GANGLION_HOST_ID: "bench",
      GANGLION_SOURCES: "none",
      GANGLION_CONFIG: config,
    },
    stdio: "ignore",
  });
  const gone = new Promise((resolve) => agent.once("exit", resolve));
  const settings = {
    topicRequest: topicsOf("development").request,
    discoveryTimeoutMs: 5_000,
    analysisTimeoutMs: 5_000,
  };
  const client = openIntelligence({ url: edge.url, token: edge.token, settings });
  try {
    await until(async () => (await client.healthCheck()) && (await found(client, "node_part_*.py")) >= FILES);
    const times: number[] = [];
    for (let asked = 0; asked < ASKED; asked++) {
      const options = { limit: 10, enable_caching: false };
      const began = performance.now();
      await client.discover(`node_part_*${asked % 10}_effect.py`, "python", { options });
      times.push(performance.now() - began);
    }
    const p50_ms = rounded(percentile(times, 0.5));
    say("live_answer_p95", percentile(times, 0.95), 100, { p50_ms });
    await gatherFigures(client);
    const began = performance.now();
    writeFileSync(join(root, "node_changed_effect.py"), "class NodeChangedEffect(NodeEffect):\n    pass\n");
    await until(async () => (await found(client, "node_changed_effect.py")) === 1);
    say("changed_file_in_answer", performance.now() - began, 1_000);
  } finally {
    agent.kill("SIGTERM");
    await gone;
    client.close();
  }
  const fallbacks: number[] = [];
  for (let gathered = 0; gathered < 100; gathered++) {
    const alone = openIntelligence({ url: "http://127.0.0.1:9", token: "none", settings, transport: "http" });
    const gatherer = new IntelligenceGatherer({ library, client: alone });
    const began = performance.now();
    await gatherer.gather({ node_type: "EFFECT", domain: "database" });
    fallbacks.push(performance.now() - began);
    alone.close();
  }
  say("fallback_p95", percentile(fallbacks, 0.95), 50);

  async function gatherFigures(asking: IntelligenceClient): Promise<void> {
    const gatherer = new IntelligenceGatherer({ library, client: asking });
    const gathered: number[] = [];
    let live = 0;
    for (let time = 0; time < 100; time++) {
      const began = performance.now();
      const { rag_sources } = await gatherer.gather({ node_type: "EFFECT", domain: `part-${time}` });
      gathered.push(performance.now() - began);
      if (rag_sources.includes("event_based_discovery")) live++;
    }
    const p50_ms = rounded(percentile(gathered, 0.5));
    say("live_gather_p95", percentile(gathered, 0.95), 100, { p50_ms, live_of_100: live });
  }

  function say(figure: string, value: number, atMost: number, more: object = {}): void {
    report({ bench: "intelligence", figure, value: rounded(value), unit: "ms", target: { at_most: atMost }, ...more });
  }
}

const library = builtInLibrary();
const found = async (client: IntelligenceClient, pattern: string) =>
  (await client.discover(pattern, "python", { options: { limit: 1, quality_threshold: 0, enable_caching: false } }))
    .total_count ?? 0;

/** A host that is not there yet is asked again: a client whose breaker is open asks nobody for a while. */
async function until(reached: () => Promise<boolean>): Promise<void> {
  while (!(await reached().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 20));
}

const ParserFigures = z.object({
  files: z.number(),
  cpuSeconds: z.number(),
  memoryMb: z.number(),
  refused: z.number(),
});

async function parserFigures(root: string, report: Report): Promise<void> {
  const parsers = join(import.meta.dirname, "parsers");
  const measure = async (name: string, script: string) => {
    const { stdout } = await run(process.execPath, [join(parsers, script), root], { timeout: 300_000 });
    const { files, cpuSeconds, memoryMb, refused } = ParserFigures.parse(JSON.parse(stdout));
    report({ bench: "intelligence", figure: `${name}_cpu`, value: rounded(cpuSeconds), unit: "s", files, refused });
    report({ bench: "intelligence", figure: `${name}_memory`, value: rounded(memoryMb), unit: "MB", files });
  };
  await measure("lezer", "lezer.ts");
  try {
    await install(parsers);
  } catch (error) {
    return console.error(
      `tree-sitter is not compared with, it could not be installed: ${String(error).split("\n", 1)[0]}`,
    );
  }
  await measure("tree_sitter", "tree-sitter.mjs");
}

/** Without its install script, which builds for Node: the grammar comes as WebAssembly, too. */
async function install(parsers: string): Promise<void> {
  if (existsSync(join(parsers, "node_modules/web-tree-sitter"))) return;
  const quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--omit=optional", "--ignore-scripts"];
  await run("npm", ["install", ...quiet], { cwd: parsers, timeout: 120_000 });
}
