import { planRound } from "../../core/monitors/rounds.ts";
import type { Environment } from "../../durable-objects/environment.ts";

const DAY_MS = 86_400_000;

/**
 * The cron trigger. Asks the hosts of every ecosystem that has any, nudges projections that lag, drops what is older
 * than the retention. An ecosystem without hosts and without signals costs nothing; one that fails is named in the log
 * and does not keep the others waiting.
 */
export async function everyMinute(env: Environment, nowMs: number): Promise<void> {
  const directory = env.DIRECTORY.get(env.DIRECTORY.idFromName("directory"));
  const [ecosystems, watched] = await Promise.all([directory.ecosystems(), directory.watched()]);
  const known = ecosystems.map(({ name, last_active_at }) => ({ name, lastActiveMs: Date.parse(last_active_at) }));
  const round = planRound(known, watched, Number(env.RETENTION_DAYS ?? "7") * DAY_MS, nowMs);
  const log = (name: string) => env.SIGNAL_LOG.get(env.SIGNAL_LOG.idFromName(name));
  const registry = (name: string) => env.AGENT_REGISTRY.get(env.AGENT_REGISTRY.idFromName(name));
  await Promise.all([
    ...round.nudge.map((name) => attempt("a nudge", name, () => log(name).nudge())),
    ...round.ask.map((name) => attempt("asking the hosts", name, () => registry(name).tick())),
    ...round.retain.map((name) => attempt("the retention", name, () => log(name).retain())),
  ]);
}

async function attempt(what: string, ecosystem: string, work: () => PromiseLike<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.warn(`monitor: ${what} failed`, ecosystem, String(error));
  }
}
