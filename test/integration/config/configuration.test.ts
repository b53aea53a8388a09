import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { RunningProcess } from "../../harness/running-process.ts";
import { temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { FakeEdge } from "../link/fake-edge.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function command(...args: string[]) {
  // What the tests' own environment says must not count.
  const env = Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => /^(GANGLION|KLR)_/.test(name))
      .map((name) => [name, undefined]),
  );
  return new RunningProcess(["local-agent/main.ts", ...args], { env: { ...env, GANGLION_HOST_ID: "h" } });
}

function dropIntent(directory: string, id: string, type: string) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `.${id}`), JSON.stringify({ id, type, data: { version: 3 } }));
  renameSync(join(directory, `.${id}`), join(directory, `${id}.json`));
}

async function running(text: (edge: FakeEdge) => string) {
  const edge = await FakeEdge.listen();
  closing.push(() => edge.close());
  const directory = temporaryDirectory();
  const file = join(directory, "agent.yaml");
  writeFileSync(join(directory, "token"), "secret", { mode: 0o600 });
  writeFileSync(file, text(edge));
  const agent = command("--config", file);
  closing.push(() => agent.killGroup());
  await agent.message(({ type }: { type?: string }) => type === "ready", "the agent to be ready");
  return { edge, directory, file, agent, write: (next: string) => writeFileSync(file, next) };
}

const BASE = (edge: FakeEdge) =>
  `edge: { url: "${edge.url}", token_file: token }\nhost: { state_dir: state }\nbus: { enabled: false }\nsampler: { enabled: false }\n`;

describe("ganglion-agent", () => {
  it("runs with its file, applies changes on SIGHUP, and reports settings that need a restart", async () => {
    const { edge, directory, agent, write } = await running(BASE);
    const intents = join(directory, "state", "intents");
    write(
      `${BASE(edge)}spool: { max_mb: 7 }\nlog: { level: debug, format: json }\nintents:\n  map:\n    - { types: [deploy.*], signal: Q_DEPLOY, facts: { service: "{rest}", build: "v{data.version}" } }\n`,
    );
    agent.signal("SIGHUP");
    await agent.line(
      /new settings were applied.*"intents\.map".*"log\.level"|new settings were applied.*"log\.level".*"intents\.map"/,
    );
    await agent.line(/take effect after a restart.*"log\.format"/);
    dropIntent(intents, "d1", "deploy.web");
    await edge.when(() => edge.log.length === 1);
    expect(edge.log[0]).toMatchObject({ signal: "Q_DEPLOY", facts: { service: "web", build: "v3", version: 3 } });
    await agent.line(/debug.*a file was routed.*signal_id=h\./);
    // What was told to need a restart is told again, as long as it does; nothing else changed.
    agent.signal("SIGHUP");
    await agent.times(/take effect after a restart.*"log\.format"/, 2);
    write(
      `${BASE(edge).replace("sampler: { enabled: false }", "")}spool: { max_mb: 8 }\nlog: { level: debug, format: json }\n`,
    );
    agent.signal("SIGHUP");
    await agent.line(/new settings were applied.*"sampler\.enabled"/);
    await agent.line(/new settings were applied.*"spool\.max_mb"/);
    write("intents: { mapp: [] }");
    agent.signal("SIGHUP");
    await agent.line(/keeping the old settings.*agent\.yaml:1:12: intents\.mapp: .*did you mean map\?/);
    dropIntent(intents, "d2", "deploy.db");
    await edge.when(() => edge.log.length === 2);
    expect(await agent.stop()).toBe(0);
  });

  it("reacts, watches and measures with a file that was changed while it ran, and not with an invalid one", async () => {
    const { edge, directory, agent, write } = await running(BASE);
    const reaction = (by: string, more = "") =>
      `${BASE(edge)}reactions:\n  it: { when: Q_ASK, run: { command: [echo, '{"by": "${by}"}'] }, concurrency: 2 }\n${more}`;
    let reloads = 0;
    const reload = async () => {
      agent.signal("SIGHUP");
      await agent.times(/SIGHUP: (new settings|keeping)/, ++reloads);
    };
    const answers = () => edge.log.filter(({ signal }) => signal === "Q_REACTION_COMPLETE");
    const ask = async (by: string) => {
      const { id } = edge.append("Q_ASK", {});
      await edge.when(() => answers().some(({ cause }) => cause === id));
      expect(answers().at(-1)?.facts).toMatchObject({ by });
    };

    // Nothing on this host wanted to hear of signals before.
    expect(edge.subscriptions).toEqual([]);
    write(reaction("one", "monitors: { investigation_log: found.jsonl }\n"));
    await reload();
    await ask("one");
    const monitors = () => edge.statuses.at(-1)?.monitors as { names?: string[]; edge_silent_since?: string | null };
    await edge.when(() => isDeepStrictEqual(monitors()?.names, ["investigations", "health"]));
    expect(monitors().edge_silent_since).toBeNull();
    write(`${reaction("two")}observability: { port: 0 }\nmetrics: { directory: elsewhere }\n`);
    await reload();
    await ask("two");
    const sources = () => (edge.statuses.at(-1)?.sources ?? []) as { name: string; state: string; detail: string }[];
    await edge.when(() => sources().some(({ name, detail }) => name === "metrics" && detail.includes("elsewhere")));
    const port = sources().find(({ name }) => name === "observability")?.detail ?? "";
    expect(await (await fetch(port)).text()).toContain("ganglion_agent_reaction_attempts");
    write(`${BASE(edge)}reactions:\n  it: { when: 7, runn: {} }\nmonitors: { discs: [] }\n`);
    await reload();
    for (const at of ["reactions.it.when", "reactions.it", "monitors"])
      await agent.line(new RegExp(`agent\\.yaml:\\d+:\\d+: ${at}`));
    await ask("two");
    write(BASE(edge));
    await reload();
    edge.append("Q_ASK", {});
    write(reaction("three"));
    await reload();
    // What came while nobody wanted it is not reacted to.
    await ask("three");
    expect(answers().map(({ facts }) => facts.by)).toEqual(["one", "two", "two", "three"]);
    expect(edge.wrongFrames).toEqual([]);
    expect(existsSync(join(directory, "elsewhere"))).toBe(true);
    expect(await agent.stop()).toBe(0);
  });

  it("checks a file and prints each problem with its place and fix, for people and for programs", async () => {
    const directory = temporaryDirectory();
    const file = join(directory, "agent.yaml");
    writeFileSync(file, "edge:\n  urll: http://x\nlog: { level: loud }\n");
    const people = command("check", "--config", file);
    expect(await people.ended).toBe(1);
    expect(people.lines).toEqual([
      expect.stringContaining("GANGLION_TOKEN: set it"),
      `${file}:2:3: edge.urll: unknown setting urll: did you mean url?`,
      `${file}:3:8: log.level: give debug, info, warn or error`,
    ]);
    const programs = command("check", "--config", file, "--json");
    expect(await programs.ended).toBe(1);
    expect(JSON.parse(programs.lines[0] ?? "")).toMatchObject({
      file,
      ok: false,
      problems: expect.arrayContaining([
        expect.objectContaining({ severity: "error", where: "log.level", file, line: 3, column: 8 }),
      ]),
    });
    writeFileSync(join(directory, "token"), "t", { mode: 0o600 });
    writeFileSync(file, "edge: { token_file: token }\n");
    const right = command("check", "--config", file);
    expect(await right.ended).toBe(0);
    expect(right.lines).toEqual([`The settings are valid: ${file}`]);
  });

  it("checks that programs and directories of the settings are there, and warns of each that is not", async () => {
    const directory = temporaryDirectory();
    const file = join(directory, "agent.yaml");
    writeFileSync(join(directory, "token"), "t", { mode: 0o600 });
    writeFileSync(
      file,
      "edge: { token_file: token }\nagents:\n  coder: { command: [no-such-program] }\n  tester: { command: [sh], directory: gone }\n",
    );
    const check = command("check", "--config", file);
    expect(await check.ended).toBe(0);
    expect(check.lines.sort()).toEqual([
      expect.stringMatching(/^warning: .*agents\.coder\.command: .*no-such-program/),
      expect.stringMatching(/^warning: .*agents\.tester\.directory: .*gone does not exist/),
    ]);
  });

  it("prints its version and its usage", async () => {
    const version = command("--version");
    expect(await version.ended).toBe(0);
    expect(version.lines[0]).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await command("chek").ended).toBe(2);
  });
});
