import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  capabilityIntegrator,
  IntegratorSettings,
} from "../../../../local-agent/reactions/built-ins/integrator/integrator.ts";
import { temporaryDirectory } from "../../../unit/store/temporary-state.ts";
import { aSignal, contextIn, FakeAttempt } from "./fake-attempt.ts";

const T = "2026-01-06T08:00:00.000Z";
const found = {
  timestamp: T,
  question_id: "q",
  hypothesis: "UNDISCOVERED_MODULE_vision",
  module_path: "vision",
  confidence: 0.9,
};
const LIST = "# kept\nmodules:\n  - hearing\n";

function host({ record = found as object, settings = {} as object } = {}) {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "organs/vision"), { recursive: true });
  writeFileSync(join(directory, "organs/vision/eyes.py"), "");
  writeFileSync(join(directory, "capabilities.yaml"), LIST);
  writeFileSync(join(directory, "curiosity_investigations.jsonl"), `not json\n${JSON.stringify(record)}\n{"half`);
  const parsed = IntegratorSettings.parse({ built_in: "capability-integrator", root: "organs", ...settings });
  const perform = capabilityIntegrator(parsed, contextIn(directory, "Q_MODULE_INTEGRATED", "Q_INTEGRATION_FAILED"));
  const signal = aSignal("Q_INVESTIGATION_COMPLETE", { investigation_timestamp: T, question_id: "q" });
  return {
    directory,
    list: () => readFileSync(join(directory, "capabilities.yaml"), "utf8"),
    init: () => existsSync(join(directory, "organs/vision/__init__.py")),
    attempt: (checkpoint?: unknown) => new FakeAttempt(signal, checkpoint),
    perform,
  };
}

test("a discovered module is completed, listed and reported once, with a backup of the list", async () => {
  const { perform, attempt, list, init, directory } = host();
  expect(await perform(attempt())).toMatchObject({
    ok: true,
    emit: [
      { signal: "Q_MODULE_INTEGRATED", facts: { module_name: "vision", module_path: "vision", created_init: true } },
    ],
  });
  expect(list()).toBe(`${LIST}  - vision\n`);
  expect(init()).toBe(true);
  expect(readFileSync(join(directory, "capabilities.yaml.bak"), "utf8")).toBe(LIST);
  // A later investigation finds the same.
  expect(await perform(attempt())).toEqual({ ok: true, emit: [] });
  expect(list()).toBe(`${LIST}  - vision\n`);
});

test("after a crash between the change of the files and its report, the next attempt reports and changes nothing twice", async () => {
  const { perform, attempt, list, init } = host();
  const first = attempt();
  expect((await perform(first)).ok).toBe(true);
  // The report is lost with the agent: the next attempt has only the checkpoint.
  expect(await perform(attempt(first.checkpoint))).toMatchObject({
    ok: true,
    emit: [{ facts: { created_init: true } }],
  });
  expect(list()).toBe(`${LIST}  - vision\n`);
  expect(init()).toBe(true);
});

test("a crash before the first change leaves everything to the next attempt", async () => {
  const { perform, attempt, list, init } = host();
  const first = attempt();
  first.crashAtSave = 1;
  await expect(perform(first)).rejects.toThrow("killed");
  expect([list(), init()]).toEqual([LIST, false]);
  expect(await perform(attempt(first.checkpoint))).toMatchObject({
    ok: true,
    emit: [{ facts: { created_init: true } }],
  });
  expect([list(), init()]).toEqual([`${LIST}  - vision\n`, true]);
});

test("a module that fails the check is removed again, and the attempt fails", async () => {
  const { perform, attempt, list, init } = host({
    settings: { check: { command: 'echo "no $MODULE_NAME" >&2; exit 2' } },
  });
  const one = attempt();
  expect(await perform(one)).toMatchObject({
    ok: false,
    retry: false,
    error: "the check failed: the command ended with status 2: no vision",
    facts: { module_name: "vision", rolled_back: true },
  });
  expect([list(), init(), one.checkpoint]).toEqual([LIST, false, undefined]);
});

test("an investigation that is about something else, or does not qualify, changes and emits nothing", async () => {
  for (const change of [
    { hypothesis: "LOG_ROTATION" },
    { confidence: 0.3 },
    { actionable: false },
    { py_files_count: 0 },
    { module_name: "../../etc" },
  ]) {
    const { perform, attempt, list, init } = host({ record: { ...found, ...change } });
    expect(await perform(attempt()), JSON.stringify(change)).toEqual({ ok: true, emit: [] });
    expect([list(), init()]).toEqual([LIST, false]);
  }
});

test("a module path that leads out of the root is refused, also through a link", async () => {
  for (const module_path of ["../elsewhere", "/etc", "link"]) {
    const { perform, attempt, list, directory } = host({ record: { ...found, module_path } });
    mkdirSync(join(directory, "elsewhere"));
    writeFileSync(join(directory, "elsewhere/a.py"), "");
    symlinkSync("../elsewhere", join(directory, "organs/link"));
    expect(await perform(attempt()), module_path).toMatchObject({
      ok: false,
      retry: false,
      error: /is not below/,
    });
    expect(existsSync(join(directory, "elsewhere/__init__.py"))).toBe(false);
    expect(list()).toBe(LIST);
  }
});

test("an investigation that is not in the log yet is looked up again at the next attempt", async () => {
  const { perform, attempt } = host({ record: { ...found, timestamp: "2026-01-07T08:00:00.000Z" } });
  expect(await perform(attempt())).toMatchObject({ ok: false, retry: true });
});

test("two investigations that end together change the list one after the other", async () => {
  const { perform, attempt, list } = host();
  const outcomes = await Promise.all([perform(attempt()), perform(attempt())]);
  expect(outcomes.map((outcome) => outcome.ok && outcome.emit.length).sort()).toEqual([0, 1]);
  expect(list()).toBe(`${LIST}  - vision\n`);
});

test("an edit that a person saves while the list is written stays, and the module is added to it", async () => {
  const { perform, attempt, list, directory } = host();
  const one = attempt();
  one.meanwhile = () => {
    writeFileSync(join(directory, "saved"), `${LIST}  - by-hand\n`);
    renameSync(join(directory, "saved"), join(directory, "capabilities.yaml"));
  };
  expect(await perform(one)).toMatchObject({ ok: true, emit: [{ signal: "Q_MODULE_INTEGRATED" }] });
  expect(list()).toBe(`${LIST}  - by-hand\n  - vision\n`);
  expect(readFileSync(join(directory, "capabilities.yaml.bak"), "utf8")).toBe(`${LIST}  - by-hand\n`);
});

test("an edit through a file handle opened before the change stays, and the module is added to it", async () => {
  // The editor has the file open since before; it is written to while the module is checked.
  const { perform, attempt, list, directory } = host({ settings: { check: { command: "true" } } });
  const editor = openSync(join(directory, "capabilities.yaml"), "r+");
  const one = attempt();
  one.save = async () => {};
  const started = one.started.bind(one);
  one.started = () => {
    started();
    writeSync(editor, `${LIST}  - by-hand\n`);
  };
  expect((await perform(one)).ok).toBe(true);
  closeSync(editor);
  expect(list()).toBe(`${LIST}  - by-hand\n  - vision\n`);
});

test("a list that a person changed during the check is not rolled back, and the failure reports that", async () => {
  const { perform, attempt, list, init, directory } = host({
    settings: { check: { command: "echo '# mine' >> capabilities.yaml; exit 1" } },
  });
  expect(await perform(attempt())).toMatchObject({ ok: false, facts: { rolled_back: false } });
  expect(list()).toBe(`${LIST}  - vision\n# mine\n`);
  expect(init()).toBe(false);
  expect(existsSync(join(directory, "capabilities.yaml.conflict"))).toBe(false);
});

test("an older investigation names its module by capability and its path by evidence, and the directory spells the name", async () => {
  const older = (capability: string, path: string) => ({
    timestamp: T,
    capability,
    question: "Should it become a capability?",
    hypothesis: "UNDISCOVERED_MODULE_VISION",
    evidence: [`path:${path}`, "has_init:False", "py_files:1", "has_docs:False"],
    probe_results: [],
  });
  const integrated = { ok: true, emit: [{ facts: { module_name: "vision", module_path: "vision" } }] };
  const named = host({ record: older("vision", "vision") });
  expect(await named.perform(named.attempt())).toMatchObject(integrated);
  // The name of the hypothesis alone, in capitals.
  const spelt = host({ record: { ...older("vision", ""), capability: "a new sense", evidence: ["py_files:1"] } });
  expect(await spelt.perform(spelt.attempt())).toMatchObject(integrated);
  expect(spelt.list()).toBe(`${LIST}  - vision\n`);
  const capitals = host({ record: older("Vision", "vision") });
  expect(await capitals.perform(capitals.attempt())).toMatchObject(integrated);
  const outside = host({ record: older("vision", "/etc") });
  expect(await outside.perform(outside.attempt())).toMatchObject({ ok: false, error: /not below/ });
  const few = host({ record: { ...older("vision", "vision"), evidence: ["path:vision", "py_files:0"] } });
  expect(await few.perform(few.attempt())).toEqual({ ok: true, emit: [] });
});

test("of two investigations of one millisecond, the one with the very time of the signal is meant", async () => {
  const older = (capability: string, timestamp: number) =>
    JSON.stringify({
      timestamp,
      capability,
      hypothesis: `UNDISCOVERED_MODULE_${capability.toUpperCase()}`,
      evidence: [`path:${capability}`, "py_files:1"],
      probe_results: [],
    });
  const { directory, perform, list } = host();
  const log = join(directory, "curiosity_investigations.jsonl");
  writeFileSync(log, `${older("vision", 1_767_700_000.0001)}\n${older("touch", 1_767_700_000.0004)}\n`);
  const signal = aSignal("Q_INVESTIGATION_COMPLETE", { investigation_timestamp: 1_767_700_000.0001, question_id: "q" });
  expect(await perform(new FakeAttempt(signal))).toMatchObject({
    ok: true,
    emit: [{ facts: { module_name: "vision" } }],
  });
  expect(list()).toBe(`${LIST}  - vision\n`);
});
