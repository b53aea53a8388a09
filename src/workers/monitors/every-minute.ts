import { planRound } from "../../core/monitors/rounds.ts";
import type { Environment } from "../../durable-objects/environment.ts";
import { closeSockets } from "../api/close-sockets.ts";

/** Looked back for tokens that expired: a minute that was left out does not leave their sockets open. */
const EXPIRED_MS = 10 * 60_000;
const DAY_MS = 86_400_000;

/**
 * The cron trigger. Asks the hosts of every ecosystem that has any, nudges projections that lag, drops what is older
 * than the retention, closes what expired tokens have opened. An ecosystem without hosts and without signals costs nothing; one that fails is named in the log
 * and does not keep the others waiting.
 */
export async function everyMinute(env: Environment, nowMs: number): Promise<void> {
  const directory = env.DIRECTORY.get(env.DIRECTORY.idFromName("directory"));
  const [ecosystems, watched, expired] = await Promise.all([
    directory.ecosystems(),
    directory.watched(),
    directory.expired(nowMs - EXPIRED_MS, nowMs),
  ]);
  const known = ecosystems.map(({ name, last_active_at }) => ({ name, lastActiveMs: Date.parse(last_active_at) }));
  const round = planRound(known, watched, Number(env.RETENTION_DAYS ?? "7") * DAY_MS, nowMs);
  const log = (name: string) => env.SIGNAL_LOG.get(env.SIGNAL_LOG.idFromName(name));
  const registry = (name: string) => env.AGENT_REGISTRY.get(env.AGENT_REGISTRY.idFromName(name));
  await Promise.all([
    ...round.nudge.map((name) => attempt("a nudge", name, () => log(name).nudge())),
    ...round.ask.map((name) => attempt("asking the hosts", name, () => registry(name).tick())),
    ...round.retain.map((name) => attempt("the retention", name, () => log(name).retain())),
    ...expired.map((token) => attempt("closing the sockets of a token", token.id, () => closeSockets(env, token))),
  ]);
}

async function attempt(what: string, whose: string, work: () => PromiseLike<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.warn(`monitor: ${what} failed`, whose, String(error));
  }
}
