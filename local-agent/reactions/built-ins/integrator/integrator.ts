import { open } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { parseTimestamp } from "../../../../src/core/signals/timestamp.ts";
import { objectsFromEnd } from "../../../base/files/json-lines.ts";
import { syncDirectory } from "../../../base/files/replace-file.ts";
import { replaceUnchanged } from "../../../base/files/replace-unchanged.ts";
import { CommandSettings } from "../../command-settings.ts";
import type { Attempt, Outcome } from "../../reaction.ts";
import { runForSignal } from "../../run-for-signal.ts";
import type { BuiltInContext, BuiltInDefaults, RunAttempt } from "../built-in.ts";
import { CapabilitiesFile } from "./capabilities-file.ts";
import { type FoundPackage, findPackage } from "./find-package.ts";
import { qualify } from "./qualify.ts";

/** Integrates modules that investigations found. */
export const IntegratorSettings = z.strictObject({
  built_in: z.literal("capability-integrator"),
  /** The log of investigations. */
  log: z.string().min(1).default("curiosity_investigations.jsonl"),
  /** The YAML file that lists the modules. */
  capabilities: z.string().min(1).default("capabilities.yaml"),
  /** Path of the list in that file. */
  key: z.array(z.string().min(1)).min(1).max(16).default(["modules"]),
  /** Directory of the packages; nothing outside of it is changed. */
  root: z.string().min(1).default("."),
  hypothesis_prefix: z.string().min(1).default("UNDISCOVERED_MODULE_"),
  minimum_confidence: z.number().min(0).max(1).default(0.7),
  minimum_py_files: z.int().min(0).default(1),
  /** Runs after a module was added; unless it ends with status 0, the change is undone: `{command: python3 -c "import app"}`. */
  check: CommandSettings.optional(),
});
type IntegratorSettings = z.infer<typeof IntegratorSettings>;

export const INTEGRATOR: BuiltInDefaults = {
  when: ["Q_INVESTIGATION_COMPLETE"],
  completed: "Q_MODULE_INTEGRATED",
  failed: "Q_INTEGRATION_FAILED",
  passOn: ["investigation_timestamp", "question_id"],
};

/** Checkpoint of an attempt that is about to change files: after a crash it shows that this reaction made the changes. */
const Intended = z.object({
  module_name: z.string(),
  module_path: z.string(),
  directory: z.string(),
  created_init: z.boolean(),
  /** The list before; `null`: there was no file. */
  before: z.string().nullable(),
});
type Intended = z.infer<typeof Intended>;

type Package = FoundPackage & { ok: true };

/** How often the list is read again after another program changed it first. */
const ROUNDS = 20;

/** By path of the capabilities file, the end of the last change: changes of one file follow one another. */
const turns = new Map<string, Promise<unknown>>();

export function capabilityIntegrator(settings: IntegratorSettings, context: BuiltInContext): RunAttempt {
  const path = resolve(context.baseDir, settings.capabilities);
  return (attempt) => {
    const before = turns.get(path) ?? Promise.resolve();
    const file = new CapabilitiesFile(path, settings.key);
    const turn = before.then(() => new Integration(settings, context, attempt, file).run());
    turns.set(
      path,
      turn.catch(() => undefined),
    );
    return turn;
  };
}

class Integration {
  readonly #settings: IntegratorSettings;
  readonly #context: BuiltInContext;
  readonly #attempt: Attempt;
  readonly #capabilities: CapabilitiesFile;

  constructor(settings: IntegratorSettings, context: BuiltInContext, attempt: Attempt, capabilities: CapabilitiesFile) {
    this.#settings = settings;
    this.#context = context;
    this.#attempt = attempt;
    this.#capabilities = capabilities;
  }

  async run(): Promise<Outcome> {
    const { baseDir } = this.#context;
    const log = resolve(baseDir, this.#settings.log);
    const investigated = this.#attempt.signal.facts.investigation_timestamp;
    if (investigated === undefined)
      return failure("the signal names no investigation: investigation_timestamp is required");
    const record = await this.#find(log, investigated);
    if (record === undefined)
      // Another program may write the line after its signal.
      return { ok: false, error: `no investigation of ${String(investigated)} is in ${log}`, retry: true };
    const qualification = qualify(record, {
      prefix: this.#settings.hypothesis_prefix,
      minimumConfidence: this.#settings.minimum_confidence,
      minimumPyFiles: this.#settings.minimum_py_files,
    });
    if (qualification.kind === "not_a_module") return { ok: true, emit: [] };
    if (qualification.kind === "not_qualified") {
      const { name: module, reason } = qualification;
      this.#context.log.info({ module, reason }, "integrator: not integrated");
      return { ok: true, emit: [] };
    }
    const { name } = qualification.candidate;
    const found = await findPackage(resolve(baseDir, this.#settings.root), qualification.candidate);
    if (!found.ok) return failure(found.reason, { module_name: name });
    if (found.pyFiles < this.#settings.minimum_py_files) {
      const facts = { module_name: found.name, module_path: found.path };
      return failure(`${found.path} holds ${found.pyFiles} Python files`, facts);
    }
    return this.#integrate(found.name, found);
  }

  async #find(log: string, investigated: unknown): Promise<Record<string, unknown> | undefined> {
    const same = (other: unknown) =>
      other === investigated ||
      (parseTimestamp(other) !== undefined && parseTimestamp(other) === parseTimestamp(investigated));
    const { question_id } = this.#attempt.signal.facts;
    let first: Record<string, unknown> | undefined;
    for await (const record of objectsFromEnd(log)) {
      if (!same(record.timestamp)) {
        // Lines with the same timestamp are adjacent.
        if (first !== undefined) return first;
        continue;
      }
      // Older programs write microseconds, and name no question: several may be of one millisecond.
      if (record.timestamp === investigated || record.question_id !== undefined)
        if (question_id === undefined || record.question_id === undefined || record.question_id === question_id)
          return record;
      first ??= record;
    }
    return first;
  }

  async #integrate(name: string, found: Package): Promise<Outcome> {
    for (let round = 0; round < ROUNDS; round++) {
      const outcome = await this.#write(name, found);
      if (outcome !== "changed") return outcome;
      this.#context.log.info({ module: name }, "integrator: another program changed the list; reading it again");
    }
    const error = `another program changed ${this.#settings.capabilities} before each of ${ROUNDS} writes`;
    return { ok: false, error, retry: true, facts: { module_name: name } };
  }

  /** @returns `changed`: another program wrote the list after it was read, and its text stays */
  async #write(name: string, found: Package): Promise<Outcome | "changed"> {
    const text = await this.#capabilities.read();
    const change = this.#capabilities.change(text, { name, path: found.path });
    if (change.kind === "unusable")
      return failure(`${this.#settings.capabilities} cannot be changed: ${change.reason}`, { module_name: name });
    const { checkpoint } = this.#attempt;
    const earlier = checkpoint === undefined ? undefined : Intended.parse(checkpoint);
    if (change.kind === "listed" && found.hasInit && earlier === undefined) {
      this.#context.log.info({ module: name }, "integrator: the module is integrated already");
      return { ok: true, emit: [] };
    }
    const intended: Intended = {
      module_name: name,
      module_path: found.path,
      directory: found.directory,
      created_init: !found.hasInit,
      ...earlier,
      // Listed by an earlier attempt: a failed check restores the text before that attempt.
      before: earlier !== undefined && change.kind === "listed" ? earlier.before : text,
    };
    // Before the first change: after a crash the module is listed, and only the checkpoint shows that its signal has not
    // been emitted.
    if (!isDeepStrictEqual(earlier, intended)) await this.#attempt.save(intended);
    if (!found.hasInit) await createEmpty(join(found.directory, "__init__.py"));
    if (change.kind === "changed" && !(await this.#capabilities.replace(text, change.text))) return "changed";
    const error = await this.#check(intended);
    if (change.kind === "changed" && (await this.#capabilities.recoverLateWrite(intended.before, change.text)))
      return "changed";
    if (error !== undefined) {
      const rolled_back = await this.#undo(intended);
      return failure(error, { module_name: name, module_path: found.path, rolled_back });
    }
    const { completed, name: reaction } = this.#context;
    const facts = {
      module_name: name,
      module_path: intended.module_path,
      reaction,
      investigation_timestamp: this.#attempt.signal.facts.investigation_timestamp,
      created_init: intended.created_init,
    };
    return { ok: true, emit: completed === null ? [] : [{ signal: completed, facts }] };
  }

  /** @returns why the check failed; `undefined` when it did not */
  async #check({ module_name, module_path }: Intended): Promise<string | undefined> {
    const { check } = this.#settings;
    if (check === undefined) return undefined;
    const env = { ...check.env, MODULE_NAME: module_name, MODULE_PATH: module_path };
    const outcome = await runForSignal({ ...check, env, ...this.#context }, this.#attempt);
    if (outcome.ok) return undefined;
    if (this.#attempt.abort.aborted) throw new Error("the check was stopped");
    return `the check failed: ${outcome.error}${outcome.facts.stderr === undefined ? "" : `: ${outcome.facts.stderr}`}`;
  }

  /** @returns whether everything is as it was; a list that another program has changed since stays as it is */
  async #undo({ before, created_init, directory, module_name, module_path }: Intended): Promise<boolean> {
    const restored = await this.#capabilities.restore(before, { name: module_name, path: module_path });
    // A file with content, which another program has written since, stays.
    if (created_init) await replaceUnchanged(join(directory, "__init__.py"), "", null);
    await this.#attempt.save(null);
    return restored;
  }
}

function failure(error: string, facts: Record<string, unknown> = {}): Outcome {
  return { ok: false, error, retry: false, facts };
}

async function createEmpty(path: string): Promise<void> {
  try {
    const file = await open(path, "wx");
    await file.sync();
    await file.close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  await syncDirectory(dirname(path));
}
