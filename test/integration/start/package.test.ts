import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import type { AgentReport } from "../../harness/running-agent.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { first } from "../../harness/until.ts";

const execute = promisify(execFile);

it("is one tarball that a host installs without a clone, with an agent and a command that work", async () => {
  const directory = temporaryDirectory();
  const packed = await execute(process.execPath, ["scripts/pack-host.ts", directory], { cwd: PROJECT_ROOT });
  const tarball = packed.stdout.trim().split("\n").at(-1) ?? "";
  expect(tarball).toMatch(/ganglion-host-\d+\.\d+\.\d+\.tgz$/);
  const prefix = join(directory, "prefix");
  const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  await execute("npm", ["install", "--global", `--prefix=${prefix}`, ...options, tarball], { timeout: 300_000 });

  const home = { HOME: directory, XDG_CONFIG_HOME: undefined, XDG_STATE_HOME: undefined };
  const run = (name: string, args: readonly string[], env: Record<string, string | undefined> = {}) =>
    new RunningProcess([join(prefix, "bin", name), ...args], { cwd: "/", env: { ...home, ...env } });
  const version = run("ganglion-agent", ["--version"]);
  expect(await version.ended, version.lines.join("\n")).toBe(0);
  expect(tarball).toContain(version.lines[0]);

  const edge = await runEdge();
  const config = join(directory, "agent.yaml");
  const token = join(directory, "token");
  writeFileSync(token, edge.token, { mode: 0o600 });
  writeFileSync(
    config,
    `edge: { url: "${edge.url}", token_file: token }\nhost: { id: packed }\nbus: { enabled: false }\nsampler: { enabled: false }\n`,
  );
  const check = run("ganglion-agent", ["check", "--config", config]);
  expect(await check.ended, check.lines.join("\n")).toBe(0);
  const agent = run("ganglion-agent", ["run", "--config", config]);
  await agent.message<AgentReport>(({ link }) => link?.state === "connected", "the agent's link");
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
