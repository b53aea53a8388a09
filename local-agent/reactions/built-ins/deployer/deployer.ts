import { lstat, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import * as z from "zod";
import { ifThere, replaceFile } from "../../../base/files/replace-file.ts";
import { CommandSettings } from "../../command-settings.ts";
import type { Attempt, Emission, Outcome } from "../../reaction.ts";
import { runForSignal } from "../../run-for-signal.ts";
import type { BuiltInContext, BuiltInDefaults, Perform } from "../built-in.ts";
import { ChangedMeanwhile, digestOf, install, switchTo, targetOf, unlinkFrom } from "./releases.ts";

/** Deploys the winners of a dream cycle (R26). */
export const DeployerSettings = z.strictObject({
  built_in: z.literal("winner-deployer"),
  /** Each entry is a winner: a directory or a file that is renamed into place. Names that begin with a dot are left alone. */
  winners: z.string().min(1).default("winners"),
  /** Gets a link for each winner, of the same name. */
  deployed: z.string().min(1).default("deployed"),
  /** Earlier releases of each winner that are kept to go back to. */
  keep: z.int().min(1).max(100).default(3),
  /** Has to end with status 0 once a winner is deployed, or it is rolled back; told of it by WINNER_NAME and WINNER_PATH. */
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

/** How far an attempt came. */
interface Progress {
  /** What it has done, in order, still to be told. */
  readonly told: readonly Emission[];
  /** What it was at: `previous` is where the link led before, and what a failure goes back to. */
  readonly current: { readonly winner: string; readonly release: string; readonly previous: string | null } | null;
}

/**
 * A release is a copy named by the digest of its content; the deployed winner is a link to one, and changing the link is
 * the deployment. What is deployed, what failed and what can be gone back to is all in the directories:
 *
 *   deployed/<winner>                       → .releases/<winner>/<digest>
 *   deployed/.releases/<winner>/<digest>.failed    why this content is not tried again
 */
export function performDeployment(settings: DeployerSettings, context: BuiltInContext): Perform {
  return (attempt) => new Deployment(settings, context, attempt).perform();
}

class Deployment {
  readonly #settings: DeployerSettings;
  readonly #context: BuiltInContext;
  readonly #attempt: Attempt;
  readonly #winners: string;
  readonly #deployed: string;

  constructor(settings: DeployerSettings, context: BuiltInContext, attempt: Attempt) {
    this.#settings = settings;
    this.#context = context;
    this.#attempt = attempt;
    this.#winners = resolve(context.baseDir, settings.winners);
    this.#deployed = resolve(context.baseDir, settings.deployed);
  }

  async perform(): Promise<Outcome> {
    let progress = (this.#attempt.checkpoint as Progress | undefined) ?? { told: [], current: null };
    const names = await ifThere(readdir(this.#winners));
    if (names === undefined)
      return { ok: false, error: `the directory of winners, ${this.#winners}, is not there`, retry: false };
    await mkdir(join(this.#deployed, RELEASES), { recursive: true });
    if (progress.current !== null) progress = await this.#deploy(progress, progress.current);
    for (const winner of names.filter((name) => !name.startsWith(".") && !name.endsWith(".tmp")).sort()) {
      const release = await this.#toDeploy(winner);
      if (release === undefined) continue;
      const previous = (await targetOf(this.#link(winner))) ?? (await this.#setAside(winner));
      const current = { winner, release, previous };
      progress = { ...progress, current };
      await this.#attempt.save(progress);
      progress = await this.#deploy(progress, current);
    }
    return { ok: true, emit: progress.told, result: { winners: progress.told.length } };
  }

  #link(winner: string): string {
    return join(this.#deployed, winner);
  }

  #releases(winner: string): string {
    return join(this.#deployed, RELEASES, winner);
  }

  /** @returns the release's directory for a winner that is neither deployed nor known to fail */
  async #toDeploy(winner: string): Promise<string | undefined> {
    const entry = await stat(join(this.#winners, winner));
    if (!entry.isDirectory() && !entry.isFile()) return undefined;
    const release = join(this.#releases(winner), await digestOf(join(this.#winners, winner)));
    const target = await targetOf(this.#link(winner));
    if (target !== undefined && resolve(this.#deployed, target) === release) return undefined;
    return (await ifThere(stat(`${release}.failed`))) === undefined ? release : undefined;
  }

  /** Something that no release was linked for stands in the place: it becomes the release to go back to. */
  async #setAside(winner: string): Promise<string | null> {
    const link = this.#link(winner);
    const aside = join(this.#releases(winner), "before");
    await mkdir(this.#releases(winner), { recursive: true });
    if ((await ifThere(lstat(link))) !== undefined) {
      await rm(aside, { recursive: true, force: true });
      await rename(link, aside);
      await switchTo(link, aside, null);
    }
    // A crash between the two lines above leaves the thing aside, and no link.
    else if ((await ifThere(lstat(aside))) !== undefined) await switchTo(link, aside, null);
    else return null;
    return relative(this.#deployed, aside);
  }

  async #deploy(progress: Progress, current: NonNullable<Progress["current"]>): Promise<Progress> {
    const { winner, release, previous } = current;
    const link = this.#link(winner);
    const { log, name: reaction } = this.#context;
    const facts = {
      ...{
        winner_name: winner,
        winner_path: join(this.#winners, winner),
        deployed_path: link,
        release,
        previous,
        reaction,
      },
      trigger_id: this.#attempt.signal.facts.trigger_id ?? null,
    };
    let fault: string | undefined;
    let rolled_back = false;
    try {
      await mkdir(this.#releases(winner), { recursive: true });
      await install(join(this.#winners, winner), release);
      await switchTo(link, release, previous);
      fault = await this.#unhealthy(winner, link);
      if (fault !== undefined) await this.#failed(release, fault);
    } catch (error) {
      if (this.#attempt.abort.aborted) throw error;
      fault = (error as Error).message;
      // The content is not to blame where somebody else was at it: the next dream tries it again.
      if (!(error instanceof ChangedMeanwhile)) await this.#failed(release, fault);
    }
    if (fault !== undefined) {
      rolled_back = await this.#goBack(link, release, previous);
      log.warn({ winner, error: fault, rolled_back }, "deployer: not deployed");
    } else {
      log.info({ winner, release }, "deployer: deployed");
      await this.#forgetOld(winner, [release, previous === null ? "" : resolve(this.#deployed, previous)]);
    }
    const { completed, failed } = this.#context;
    const signal = fault === undefined ? completed : failed;
    const said = { ...facts, ...(fault !== undefined && { error: fault, rolled_back }) };
    const after = { told: [...progress.told, ...(signal === null ? [] : [{ signal, facts: said }])], current: null };
    await this.#attempt.save(after);
    return after;
  }

  async #failed(release: string, fault: string): Promise<void> {
    await replaceFile(`${release}.failed`, `${new Date(this.#context.now()).toISOString()} ${fault}\n`);
  }

  /** @returns whether it is as it was before; what somebody else has linked or put there meanwhile stays */
  async #goBack(link: string, release: string, previous: string | null): Promise<boolean> {
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

  async #unhealthy(winner: string, link: string): Promise<string | undefined> {
    const { health } = this.#settings;
    if (health === undefined) return undefined;
    const env = { ...health.env, WINNER_NAME: winner, WINNER_PATH: link };
    const outcome = await runForSignal({ ...health, env, ...this.#context }, this.#attempt);
    if (outcome.ok) return undefined;
    if (this.#attempt.abort.aborted) throw new Error("the health check was stopped");
    const said = outcome.facts.stderr === undefined ? "" : `: ${outcome.facts.stderr}`;
    return `the health check failed: ${outcome.error}${said}`;
  }

  async #forgetOld(winner: string, needed: readonly string[]): Promise<void> {
    const folder = this.#releases(winner);
    const entries = await readdir(folder);
    const releases = await Promise.all(
      entries
        .filter((entry) => !entry.startsWith(".") && !entry.endsWith(".failed"))
        .map(async (entry) => ({ path: join(folder, entry), ms: (await lstat(join(folder, entry))).ctimeMs })),
    );
    const old = releases.filter(({ path }) => !needed.includes(path)).sort((a, b) => b.ms - a.ms);
    // One of those that are kept is the one before.
    for (const { path } of old.slice(this.#settings.keep - 1)) await rm(path, { recursive: true, force: true });
  }
}
