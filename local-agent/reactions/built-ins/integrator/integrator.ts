import { open, readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { parseTimestamp } from "../../../../src/core/signals/timestamp.ts";
import { objectsFromEnd } from "../../../base/files/json-lines.ts";
import { ifThere, syncDirectory } from "../../../base/files/replace-file.ts";
import { replaceUnchanged } from "../../../base/files/replace-unchanged.ts";
import { CommandSettings } from "../../command-settings.ts";
import type { Attempt, Outcome } from "../../reaction.ts";
import { runForSignal } from "../../run-for-signal.ts";
import type { BuiltInContext, BuiltInDefaults, Perform } from "../built-in.ts";
import { addModule } from "./capabilities.ts";
import { type FoundPackage, findPackage } from "./find-package.ts";
import { qualify } from "./qualify.ts";

/** Integrates modules that investigations found (R25). */
export const IntegratorSettings = z.strictObject({
  built_in: z.literal("capability-integrator"),
  /** The log of investigations. */
  log: z.string().min(1).default("curiosity_investigations.jsonl"),
  /** The YAML file that lists the modules. */
  capabilities: z.string().min(1).default("capabilities.yaml"),
  /** Where the list stands in it. */
  key: z.array(z.string().min(1)).min(1).max(16).default(["modules"]),
  /** Where the packages lie; nothing outside of it is touched. */
  root: z.string().min(1).default("."),
  hypothesis_prefix: z.string().min(1).default("UNDISCOVERED_MODULE_"),
  minimum_confidence: z.number().min(0).max(1).default(0.7),
  minimum_py_files: z.int().min(0).default(1),
  /** Has to end with status 0 once the module is in, or everything is taken back: `{command: python3 -c "import app"}`. */
  check: CommandSettings.optional(),
});
type IntegratorSettings = z.infer<typeof IntegratorSettings>;

export const INTEGRATOR: BuiltInDefaults = {
  when: ["Q_INVESTIGATION_COMPLETE"],
  completed: "Q_MODULE_INTEGRATED",
  failed: "Q_INTEGRATION_FAILED",
  passOn: ["investigation_timestamp", "question_id"],
};

/** What an attempt is about to change: after a crash the next one knows that it was this reaction that did. */
interface Intended {
  readonly module_name: string;
  readonly module_path: string;
  readonly directory: string;
  readonly created_init: boolean;
  /** The list before; `null`: there was no file. */
  readonly before: string | null;
}

type Package = FoundPackage & { ok: true };

/** How often the list is read again when somebody else was faster. */
const ROUNDS = 20;
/** How long a file stands still before it counts as whole, and how often that is waited for. */
const SETTLE_MS = 100;
const SETTLE_ROUNDS = 20;

/** Changes of one file follow one another, whichever reaction makes them. */
const turns = new Map<string, Promise<unknown>>();

export function performIntegration(settings: IntegratorSettings, context: BuiltInContext): Perform {
  const capabilities = resolve(context.baseDir, settings.capabilities);
  return (attempt) => {
    const before = turns.get(capabilities) ?? Promise.resolve();
    const turn = before.then(() => new Integration(settings, context, attempt, capabilities).perform());
    turns.set(
      capabilities,
      turn.catch(() => undefined),
    );
    return turn;
  };
}

class Integration {
  readonly #settings: IntegratorSettings;
  readonly #context: BuiltInContext;
  readonly #attempt: Attempt;
  readonly #capabilities: string;
  readonly #backup: string;

  constructor(settings: IntegratorSettings, context: BuiltInContext, attempt: Attempt, capabilities: string) {
    this.#settings = settings;
    this.#context = context;
    this.#attempt = attempt;
    this.#capabilities = capabilities;
    this.#backup = `${capabilities}.bak`;
  }

  async perform(): Promise<Outcome> {
    const { log, baseDir } = { ...this.#context, log: resolve(this.#context.baseDir, this.#settings.log) };
    const investigated = this.#attempt.signal.facts.investigation_timestamp;
    if (investigated === undefined)
      return refused("the signal names no investigation: investigation_timestamp is missing");
    const record = await this.#find(log, investigated);
    if (record === undefined)
      // Another program may write the line after its signal.
      return { ok: false, error: `no investigation of ${String(investigated)} is in ${log}`, retry: true };
    const verdict = qualify(record, {
      prefix: this.#settings.hypothesis_prefix,
      minimumConfidence: this.#settings.minimum_confidence,
      minimumPyFiles: this.#settings.minimum_py_files,
    });
    if (verdict.kind === "not_a_module") return { ok: true, emit: [] };
    if (verdict.kind === "not_qualified") {
      this.#context.log.info({ module: verdict.name, reason: verdict.reason }, "integrator: not integrated");
      return { ok: true, emit: [] };
    }
    const { name } = verdict.candidate;
    const found = await findPackage(resolve(baseDir, this.#settings.root), verdict.candidate);
    if (!found.ok) return refused(found.reason, { module_name: name });
    if (found.pyFiles < this.#settings.minimum_py_files)
      return refused(`${found.path} holds ${found.pyFiles} Python files`, {
        module_name: name,
        module_path: found.path,
      });
    return this.#integrate(name, found);
  }

  async #find(log: string, investigated: unknown): Promise<Record<string, unknown> | undefined> {
    const same = (other: unknown) =>
      other === investigated ||
      (parseTimestamp(other) !== undefined && parseTimestamp(other) === parseTimestamp(investigated));
    const { question_id } = this.#attempt.signal.facts;
    let first: Record<string, unknown> | undefined;
    for await (const record of objectsFromEnd(log)) {
      if (!same(record.timestamp)) {
        // Lines of one moment stand together.
        if (first !== undefined) return first;
        continue;
      }
      if (question_id === undefined || record.question_id === undefined || record.question_id === question_id)
        return record;
      first ??= record;
    }
    return first;
  }

  async #integrate(name: string, found: Package): Promise<Outcome> {
    let lost: string | undefined;
    for (let round = 0; round < ROUNDS; round++) {
      const outcome = await this.#write(name, found);
      if (outcome !== "changed") return outcome;
      lost = `${this.#settings.capabilities} was changed by somebody else each time that it was to be written`;
      this.#context.log.info(
        { module: name },
        "integrator: somebody else changed the list meanwhile; reading it again",
      );
    }
    return { ok: false, error: lost ?? "nothing was tried", retry: true, facts: { module_name: name } };
  }

  /** @returns `changed`: somebody else wrote the list after it was read, and his text stands there */
  async #write(name: string, found: Package): Promise<Outcome | "changed"> {
    const text = await this.#read();
    const change = addModule(text ?? "", this.#settings.key, { name, path: found.path });
    if (change.kind === "unusable")
      return refused(`${this.#settings.capabilities} cannot be changed: ${change.reason}`, { module_name: name });
    const earlier = this.#attempt.checkpoint as Intended | undefined;
    if (change.kind === "listed" && found.hasInit && earlier === undefined) {
      this.#context.log.info({ module: name }, "integrator: is integrated already");
      return { ok: true, emit: [] };
    }
    const intended: Intended = {
      ...{ module_name: name, module_path: found.path, directory: found.directory, created_init: !found.hasInit },
      ...earlier,
      // Listed since an earlier attempt: what stood there before that is what a failed check goes back to.
      before: earlier !== undefined && change.kind === "listed" ? earlier.before : (text ?? null),
    };
    // Before the first change: a crash after it finds the module listed, and only this tells that it was not told yet.
    if (!isDeepStrictEqual(earlier, intended)) await this.#attempt.save(intended);
    if (!found.hasInit) await createEmpty(join(found.directory, "__init__.py"));
    if (change.kind === "changed") {
      const backup = this.#backup;
      const written = await replaceUnchanged(this.#capabilities, text ?? null, change.text, { backup });
      if (written === "changed") return "changed";
    }
    const fault = await this.#check(intended);
    if (change.kind === "changed" && (await this.#writtenSince(intended, change.text))) return "changed";
    if (fault !== undefined) {
      const rolled_back = await this.#takeBack(intended);
      return refused(fault, { module_name: name, module_path: found.path, rolled_back });
    }
    const { completed, name: reaction } = this.#context;
    const facts = {
      ...{ module_name: name, module_path: intended.module_path, reaction },
      investigation_timestamp: this.#attempt.signal.facts.investigation_timestamp,
      created_init: intended.created_init,
    };
    return { ok: true, emit: completed === null ? [] : [{ signal: completed, facts }] };
  }

  /**
   * Somebody who writes the list in place, instead of putting a new one there, empties it first. So what was written a
   * moment ago is read once it stands still.
   */
  async #read(): Promise<string | undefined> {
    for (let round = 0; round < SETTLE_ROUNDS; round++) {
      const before = await ifThere(stat(this.#capabilities));
      if (before === undefined || Math.abs(Date.now() - before.mtimeMs) > SETTLE_MS) break;
      await pause(SETTLE_MS);
    }
    return ifThere(readFile(this.#capabilities, "utf8"));
  }

  /** Whoever had the old list open while it was replaced has written into what is the backup now: his text goes back. */
  async #writtenSince({ before }: Intended, ours: string): Promise<boolean> {
    if (before === null) return false;
    const old = await ifThere(readFile(this.#backup, "utf8"));
    if (old === undefined || old === before) return false;
    return (await replaceUnchanged(this.#capabilities, ours, old)) === "replaced";
  }

  /** @returns what is wrong with the module now that it is in */
  async #check({ module_name, module_path }: Intended): Promise<string | undefined> {
    const { check } = this.#settings;
    if (check === undefined) return undefined;
    const env = { ...check.env, MODULE_NAME: module_name, MODULE_PATH: module_path };
    const outcome = await runForSignal({ ...check, env, ...this.#context }, this.#attempt);
    if (outcome.ok) return undefined;
    if (this.#attempt.abort.aborted) throw new Error("the check was stopped");
    return `the check failed: ${outcome.error}${outcome.facts.stderr === undefined ? "" : `: ${outcome.facts.stderr}`}`;
  }

  /** @returns whether everything is as it was: a list that somebody else has changed since stays as it is */
  async #takeBack({ before, created_init, directory, module_name, module_path }: Intended): Promise<boolean> {
    const now = await ifThere(readFile(this.#capabilities, "utf8"));
    const ours = addModule(before ?? "", this.#settings.key, { name: module_name, path: module_path });
    const expected = ours.kind === "changed" ? ours.text : before;
    const unchanged =
      now === (expected ?? undefined) && (await replaceUnchanged(this.#capabilities, expected, before)) === "replaced";
    // One that somebody has filled since stays.
    if (created_init) await replaceUnchanged(join(directory, "__init__.py"), "", null);
    await this.#attempt.save(null);
    return unchanged;
  }
}

function refused(error: string, facts: Record<string, unknown> = {}): Outcome {
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
