import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defaultState } from "../../../local-agent/base/locations.ts";
import { loadSettings, problemText, readSettings } from "../../../local-agent/config/settings.ts";
import { tokenSource } from "../../../local-agent/config/token.ts";
import { temporaryDirectory } from "../store/temporary-state.ts";

const ENV = { GANGLION_TOKEN: "t", GANGLION_HOST_ID: "h" };

function file(text: string): string {
  const path = join(temporaryDirectory(), "ganglion-agent.yaml");
  writeFileSync(path, text);
  return path;
}

function problems(text: string, env: Record<string, string> = ENV): string[] {
  const path = file(text);
  return loadSettings(env, "/srv", path).problems.map((problem) => problemText(problem).replace(`${path}:`, ""));
}

describe("the settings file", () => {
  it("of the profile `free` has this host measure itself once a minute, unless it says otherwise", () => {
    const seconds = (text: string, env: Record<string, string> = ENV) =>
      readSettings(env, "/srv", file(text)).sampleSeconds;
    expect(seconds("host: { profile: free }")).toBe(60);
    expect(seconds("host: { profile: free }\nsampler: { enabled: true }")).toBe(60);
    expect(seconds("host: { profile: free }\nsampler: { seconds: 7 }")).toBe(7);
    expect(seconds("host: { profile: paid }")).toBe(5);
    expect(seconds("log: { level: info }", { ...ENV, GANGLION_PROFILE: "free" })).toBe(60);
    expect(seconds("log: { level: info }", { ...ENV, GANGLION_PROFILE: "free", GANGLION_SAMPLE_SECONDS: "2" })).toBe(2);
    expect(problems("host: { profile: cheap }")).toEqual(["1:9: host.profile: give paid, free or local"]);
  });

  it("may hold every setting, and its relative paths start at its directory", () => {
    const path = file(`
edge:
  url: https://ganglion.example.org
  ecosystem: lab
  subscribe: [Q_*, "!Q_NOISE"]
  token_file: secrets/token
host: { id: gpu-1, state_dir: state }
spool: { max_mb: 64 }
bus: { xsub: ipc:///run/in, xpub: ipc:///run/out }
intents: { directory: drop }
metrics: { enabled: false }
sampler: { seconds: 0.5, gpu_command: /opt/smi }
observability: { port: 9464 }
log: { format: json, level: debug }
`);
    const directory = join(path, "..");
    mkdirSync(join(directory, "secrets"));
    writeFileSync(join(directory, "secrets", "token"), "from-file\n");
    const settings = readSettings({ GANGLION_CONFIG: path }, "/srv");
    expect(settings).toMatchObject({
      configFile: path,
      url: "https://ganglion.example.org",
      ecosystem: "lab",
      subscribe: ["Q_*", "!Q_NOISE"],
      hostId: "gpu-1",
      stateDir: join(directory, "state"),
      intentsDir: join(directory, "drop"),
      metricsDir: join(directory, "state", "metrics"),
      spoolMaxBytes: 64 * 1024 * 1024,
      sources: ["sampler", "intents", "bus"],
      sampleSeconds: 0.5,
      gpuCommand: "/opt/smi",
      xsub: "ipc:///run/in",
      observability: { port: 9464 },
      log: "json",
      logLevel: "debug",
    });
    expect(settings.token()).toBe("from-file");
  });

  it("is overridden by the environment, whose relative paths start at the working directory", () => {
    const path = file("edge: { url: https://one.example.org }\nsampler: { seconds: 9 }\nobservability: { port: 1 }\n");
    const env = {
      ...ENV,
      GANGLION_URL: "https://two.example.org",
      GANGLION_STATE_DIR: "here",
      GANGLION_SOURCES: "bus",
      GANGLION_OBSERVABILITY_PORT: "off",
    };
    expect(readSettings(env, "/srv", path)).toMatchObject({
      url: "https://two.example.org",
      stateDir: "/srv/here",
      sources: ["bus"],
      sampleSeconds: 9,
      observability: { port: null },
    });
  });

  it("may be empty, and may be absent", () => {
    expect(problems("")).toEqual([]);
    expect(problems("# nothing\n")).toEqual([]);
    const path = file("edge: 5");
    expect(readSettings({ ...ENV, GANGLION_CONFIG: "none" }, "/srv").configFile).toBeUndefined();
    expect(() => readSettings({ ...ENV, GANGLION_CONFIG: path }, "/srv")).toThrow(`${path}:1:1: edge: give`);
  });

  it("selects the state of the service when it is the service's file, also for a person who runs the doctor", () => {
    expect(defaultState({}, "/srv", "/etc/ganglion/agent.yaml")).toBe("/var/lib/ganglion");
    expect(defaultState({ STATE_DIRECTORY: "/var/lib/other" }, "/srv", "/etc/ganglion/agent.yaml")).toBe(
      "/var/lib/other",
    );
    expect(defaultState({}, "/srv", "/srv/agent.yaml")).toBe("/srv/.ganglion");
    const state = temporaryDirectory();
    expect(tokenSource({}, undefined, state, "/etc/ganglion/token").file).toBe("/etc/ganglion/token");
    writeFileSync(join(state, "token"), "t");
    expect(tokenSource({}, undefined, state, "/etc/ganglion/token").file).toBe(join(state, "token"));
  });

  it("uses the state directory and the credential of systemd", () => {
    const credentials = temporaryDirectory();
    writeFileSync(join(credentials, "ganglion-token"), "sealed");
    const env = { GANGLION_HOST_ID: "h", STATE_DIRECTORY: "/var/lib/ganglion", CREDENTIALS_DIRECTORY: credentials };
    const settings = readSettings(env, "/");
    expect(settings.stateDir).toBe("/var/lib/ganglion");
    expect(settings.token()).toBe("sealed");
  });

  it.each([
    ["edge:\n  urls: https://x.example", "2:3: edge.urls: unknown setting urls: did you mean url?"],
    ["host:\n  stateDir: x", "2:3: host.stateDir: unknown setting stateDir: did you mean state_dir?"],
    ["samplr:\n  seconds: 2", "1:1: samplr: unknown setting samplr: did you mean sampler?"],
    ["edge:\n  token: gng_1", "2:3: edge.token: unknown setting token: remove it, or use one of url"],
    ["log: { level: loud }", "1:8: log.level: give debug, info, warn or error"],
    ["host:\n  id: 12", "2:3: host.id: give a text, not a number: put it into quotes"],
    ["edge:\n  subscribe:\n    - Q_*\n    - Q X", "4:7: edge.subscribe.1: a pattern is"],
    ["spool: [1]", "1:1: spool: give a section with settings, not a list"],
    ["sampler: { seconds: 0 }", "1:12: sampler.seconds: give seconds between 0.1 and 3600"],
    ["bus:\n  xsub: tcp://127.0.0.1:5557", "1:1: bus.xpub: give another address than xsub"],
    ["intents:\n  map:\n    - types: [a]", "3:7: intents.map.0.signal: missing: give a text"],
    [
      "intents:\n  map:\n    - types: [a]\n      signal: Q_A\n      facts:\n        v: { form: data.v, from: data.w }",
      "6:14: intents.map.0.facts.v.form: unknown setting form: did you mean from?",
    ],
    ["edge:\n  url: 'unclosed", "2:"],
    ["edge: {}\nedge: {}", "2:1: YAML: Map keys must be unique"],
  ])("explains %j", (text, words) => {
    const said = problems(text, { GANGLION_TOKEN: "t" });
    expect(said[0]).toContain(words);
    expect(said).toHaveLength(1);
  });

  it("names the variable for a value from the environment, and the line for others", () => {
    const said = problems("edge:\n  ecosystem: Not Good\n", { ...ENV, GANGLION_URL: "ftp://x", GANGLION_LOG: "xml" });
    expect(said).toEqual([
      expect.stringMatching(/^GANGLION_URL: give an http/),
      expect.stringMatching(/^2:3: edge\.ecosystem: an ecosystem/),
      expect.stringMatching(/^GANGLION_LOG: give text or json/),
    ]);
  });

  it("never shows a value that was written into the wrong place", () => {
    const secret = "gng_very_secret";
    for (const text of [`edge:\n  token: ${secret}`, `edge: ${secret}`, `edge:\n  url: ${secret}`, `edge: "${secret}`])
      expect(problems(text).join("\n")).not.toContain(secret);
  });

  it("warns of a token that every user of the machine can read, and is valid all the same", () => {
    const path = file("edge: { token_file: token }");
    const token = join(path, "..", "token");
    writeFileSync(token, "t");
    chmodSync(token, 0o644);
    const { settings, problems: said } = loadSettings({ GANGLION_HOST_ID: "h" }, "/", path);
    expect(settings).toBeDefined();
    expect(said.map(({ severity, message }) => [severity, message])).toEqual([
      ["warning", `any user of this machine can read ${token}: run chmod 600 ${token}`],
    ]);
    chmodSync(token, 0o600);
    expect(loadSettings({ GANGLION_HOST_ID: "h" }, "/", path).problems).toEqual([]);
  });

  it("is reported when it does not exist", () => {
    expect(() => readSettings({ ...ENV, GANGLION_CONFIG: "no.yaml" }, "/srv")).toThrow("/srv/no.yaml cannot be read");
  });
});
