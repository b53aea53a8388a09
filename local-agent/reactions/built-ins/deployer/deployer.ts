import { lstat, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import * as z from "zod";
import { directoryInside } from "../../../base/files/path-inside.ts";
import { ifThere, replaceFile } from "../../../base/files/replace-file.ts";
import { CommandSettings } from "../../command-settings.ts";
import type { Attempt, Emission, Outcome } from "../../reaction.ts";
import { runForSignal } from "../../run-for-signal.ts";
import type { BuiltInContext, BuiltInDefaults, RunAttempt } from "../built-in.ts";
import { acknowledgePromotions } from "./acknowledge.ts";
import { ChangedMeanwhile, digestOf, install, linkId, switchTo, targetOf, unlinkFrom } from "./releases.ts";

/** Deploys the winners of a dream cycle. */
export const DeployerSettings = z.strictObject({
  built_in: z.literal("winner-deployer"),
  /** Each entry is a winner: a directory or a file that is renamed into place. Names that begin with a dot are ignored. */
  winners: z.string().min(1).default("winners"),
  /** Directory that gets a link for each winner, with the same name. */
  deployed: z.string().min(1).default("deployed"),
  /** Directory of the promotions: that of a winner which was deployed is acknowledged, see {@link acknowledgePromotions}. */
  promotions: z.string().min(1).optional(),
  /** Earlier releases of each winner that are kept for a rollback. */
  keep: z.int().min(1).max(100).default(3),
  /**
   * Runs after a winner was deployed, with WINNER_NAME and WINNER_PATH in its environment; unless it ends with status 0,
   * the winner is rolled back.
   */
  health: CommandSettings.optional(),
});
type DeployerSettings = z.infer<typeof DeployerSettings>;

export const DEPLOYER: BuiltInDefaults = {
  when: ["Q_DREAM_COMPLETE"],
  completed: "Q_WINNER_DEPLOYED",
  failed: "Q_DEPLOYMENT_FAILED",
  passOn: ["trigger_id"],
};

const RELEASES = ".releases";

/** Checkpoint: how far an attempt came. */
const Progress = z.object({
  /** Releases that failed before this is a replay: they are tried again. */
  again: z.array(z.string()).default([]),
  /** Winners that could not be deployed. */
  failed: z.array(z.object({ winner: z.string(), release: z.string(), error: z.string() })).default([]),
  /** Signals of the winners so far, in order, emitted when the attempt ends. */
  told: z.array(
    z.object({ signal: z.string(), facts: z.record(z.string(), z.unknown()), id: z.string().exactOptional() }),
  ),
  /** The winner under way. `previous` is the link's target before: a failed deployment is rolled back to it. */
  current: z.object({ winner: z.string(), release: z.string(), previous: z.string().nullable() }).nullable(),
});
type Progress = z.infer<typeof Progress>;

/**
 * A release is a copy named by the digest of its content; a deployed winner is a link to a release, and changing the link
 * is the deployment. The directories alone hold which releases are deployed, which failed, and which a rollback can use:
 *
 *   deployed/<winner>                       → .releases/<winner>/<digest>
 *   deployed/.releases/<winner>/<digest>.failed    why this content is not tried again
 */
export function winnerDeployer(settings: DeployerSettings, context: BuiltInContext): RunAttempt {
  return (attempt) => new Deployment(settings, context, attempt).run();
}

class Deployment {
  readonly #settings: DeployerSettings;
  readonly #context: BuiltInContext;
  readonly #attempt: Attempt;
  readonly #winners: string;
  readonly #deployed: string;
  /** Winners whose present content is deployed. */
  readonly #live = new Set<string>();

  constructor(settings: DeployerSettings, context: BuiltInContext, attempt: Attempt) {
    this.#settings = settings;
    this.#context = context;
    this.#attempt = attempt;
    this.#winners = resolve(context.baseDir, settings.winners);
    this.#deployed = resolve(context.baseDir, settings.deployed);
  }

  async run(): Promise<Outcome> {
    const { checkpoint } = this.#attempt;
    let progress = Progress.parse(checkpoint ?? { told: [], current: null });
    const names = await ifThere(readdir(this.#winners));
    if (names === undefined)
      return { ok: false, error: `the directory of winners, ${this.#winners}, does not exist`, retry: false };
    await mkdir(join(this.#deployed, RELEASES), { recursive: true });
    for (const release of progress.again) await rm(`${release}.failed`, { force: true });
    progress = { ...progress, again: [] };
    if (progress.current !== null) progress = await this.#deploy(progress, progress.current);
    for (const winner of names.filter((name) => !name.startsWith(".") && !name.endsWith(".tmp")).sort()) {
      const release = await this.#toDeploy(winner).catch((error: Error) => {
        // A winner that cannot be read keeps no other from being deployed.
        this.#context.log.warn({ err: error, winner }, "deployer: a winner cannot be read");
        return undefined;
      });
      if (release === undefined) continue;
      const previous = (await targetOf(this.#link(winner))) ?? (await this.#keepExisting(winner));
      const current = { winner, release, previous };
      progress = { ...progress, current };
      await this.#attempt.save(progress);
      progress = await this.#deploy(progress, current);
    }
    await this.#acknowledge();
    const { told, failed } = progress;
    if (failed.length === 0) return { ok: true, emit: told, result: { winners: told.length } };
    // A dead letter, as a failed integration is. Its replay tries the same content again.
    const again: Progress = { told: [], current: null, failed: [], again: failed.map(({ release }) => release) };
    const error = failed.map(({ winner, error: reason }) => `${winner} was not deployed: ${reason}`).join("; ");
    return { ok: false, error, retry: false, emit: told, replayFrom: again };
  }

  async #acknowledge(): Promise<void> {
    const { promotions } = this.#settings;
    if (promotions === undefined || this.#live.size === 0) return;
    const { baseDir, log } = this.#context;
    try {
      const moved = await acknowledgePromotions(resolve(baseDir, promotions), this.#live);
      if (moved.length > 0) log.info({ promotions: moved }, "deployer: promotions are acknowledged");
    } catch (error) {
      // The winners are deployed all the same, and the next dream tries it again.
      log.warn({ err: error, promotions }, "deployer: promotions cannot be acknowledged");
    }
  }

  #link(winner: string): string {
    return join(this.#deployed, winner);
  }

  #releases(winner: string): string {
    return join(this.#deployed, RELEASES, winner);
  }

  /** @returns the directory for the release; `undefined` for a winner that is deployed already, or known to fail */
  async #toDeploy(winner: string): Promise<string | undefined> {
    const path = join(this.#winners, winner);
    const entry = await lstat(path);
    if (!entry.isDirectory() && !entry.isFile() && !entry.isSymbolicLink()) return undefined;
    // A link is no winner: it gets an identity under which its refusal is told once.
    const release = join(this.#releases(winner), await (entry.isSymbolicLink() ? linkId(path) : digestOf(path)));
    const target = await targetOf(this.#link(winner));
    if (target !== undefined && resolve(this.#deployed, target) === release) {
      this.#live.add(winner);
      return undefined;
    }
    return (await ifThere(stat(`${release}.failed`))) === undefined ? release : undefined;
  }

  /** A file or directory under the winner's name that this deployer did not make becomes the release for a rollback. */
  async #keepExisting(winner: string): Promise<string | null> {
    const link = this.#link(winner);
    const kept = join(this.#releases(winner), "before");
    await mkdir(this.#releases(winner), { recursive: true });
    if ((await ifThere(lstat(link))) !== undefined) {
      await rm(kept, { recursive: true, force: true });
      await rename(link, kept);
      await switchTo(link, kept, null);
    }
    // A crash between the two lines above leaves `before`, and no link.
    else if ((await ifThere(lstat(kept))) !== undefined) await switchTo(link, kept, null);
    else return null;
    return relative(this.#deployed, kept);
  }

  async #deploy(progress: Progress, current: NonNullable<Progress["current"]>): Promise<Progress> {
    const { winner, release, previous } = current;
    const link = this.#link(winner);
    const { log, name: reaction } = this.#context;
    const facts = {
      winner_name: winner,
      winner_path: join(this.#winners, winner),
      deployed_path: link,
      release,
      previous,
      reaction,
      trigger_id: this.#attempt.signal.facts.trigger_id ?? null,
    };
    let failure: string | undefined;
    let rolled_back = false;
    try {
      await mkdir(this.#releases(winner), { recursive: true });
      await directoryInside(this.#deployed, this.#releases(winner));
      await install(join(this.#winners, winner), release);
      await switchTo(link, release, previous);
      failure = await this.#checkHealth(winner, link);
      if (failure !== undefined) await this.#markFailed(release, failure);
    } catch (error) {
      if (this.#attempt.abort.aborted) throw error;
      failure = (error as Error).message;
      // Another program changed the winner or the link. The content may be good: the next dream tries it again.
      if (!(error instanceof ChangedMeanwhile)) await this.#markFailed(release, failure);
    }
    if (failure !== undefined) {
      rolled_back = await this.#rollBack(link, release, previous);
      log.warn({ winner, error: failure, rolled_back }, "deployer: not deployed");
    } else {
      log.info({ winner, release }, "deployer: deployed");
      this.#live.add(winner);
      await this.#deleteOld(winner, [release, previous === null ? "" : resolve(this.#deployed, previous)]);
    }
    const { completed, failed } = this.#context;
    const signal = failure === undefined ? completed : failed;
    const emission: Emission | undefined =
      signal === null
        ? undefined
        : { signal, facts: failure === undefined ? facts : { ...facts, error: failure, rolled_back } };
    const failedNow = failure === undefined ? [] : [{ winner, release, error: failure }];
    const after: Progress = {
      ...progress,
      failed: [...progress.failed, ...failedNow],
      told: emission === undefined ? progress.told : [...progress.told, emission],
      current: null,
    };
    await this.#attempt.save(after);
    return after;
  }

  async #markFailed(release: string, failure: string): Promise<void> {
    await replaceFile(`${release}.failed`, `${new Date(this.#context.now()).toISOString()} ${failure}\n`);
  }

  /** @returns whether the link is as before; a link or file that another program has put there meanwhile stays */
  async #rollBack(link: string, release: string, previous: string | null): Promise<boolean> {
    const target = await targetOf(link);
    if (target !== relative(this.#deployed, release)) return (target ?? null) === previous;
    try {
      if (previous === null) await unlinkFrom(link, release);
      else await switchTo(link, resolve(this.#deployed, previous), target);
      return true;
    } catch (error) {
      if (error instanceof ChangedMeanwhile) return false;
      throw error;
    }
  }

  /** @returns why the check failed; `undefined` when it did not */
  async #checkHealth(winner: string, link: string): Promise<string | undefined> {
    const { health } = this.#settings;
    if (health === undefined) return undefined;
    const env = { ...health.env, WINNER_NAME: winner, WINNER_PATH: link };
    const outcome = await runForSignal({ ...health, env, ...this.#context }, this.#attempt);
    if (outcome.ok) return undefined;
    if (this.#attempt.abort.aborted) throw new Error("the health check was stopped");
    const stderr = outcome.facts.stderr === undefined ? "" : `: ${outcome.facts.stderr}`;
    return `the health check failed: ${outcome.error}${stderr}`;
  }

  async #deleteOld(winner: string, needed: readonly string[]): Promise<void> {
    const folder = this.#releases(winner);
    const entries = await readdir(folder);
    const releases = await Promise.all(
      entries
        .filter((entry) => !entry.startsWith(".") && !entry.endsWith(".failed"))
        .map(async (entry) => ({ path: join(folder, entry), ms: (await lstat(join(folder, entry))).ctimeMs })),
    );
    const old = releases.filter(({ path }) => !needed.includes(path)).sort((a, b) => b.ms - a.ms);
    // The previous release is one of those that are kept.
    for (const { path } of old.slice(this.#settings.keep - 1)) await rm(path, { recursive: true, force: true });
  }
}
