import type { Environment } from "../../durable-objects/environment.ts";

/** An ecosystem that was quiet for longer is left asleep: waking a thousand of them each minute is not free. */
const ACTIVE_MS = 2 * 3_600_000;

/** Every minute: an ecosystem whose projections lag behind its log is nudged, should even its alarm have failed. */
export async function nudgeLagging(env: Environment, nowMs: number): Promise<void> {
  const directory = env.DIRECTORY.get(env.DIRECTORY.idFromName("directory"));
  const active = (await directory.ecosystems()).filter(
    ({ last_active_at }) => nowMs - Date.parse(last_active_at) < ACTIVE_MS,
  );
  const nudges = active.map(({ name }) => env.SIGNAL_LOG.get(env.SIGNAL_LOG.idFromName(name)).nudge());
  const outcomes = await Promise.allSettled(nudges);
  outcomes.forEach((outcome, place) => {
    if (outcome.status === "rejected")
      console.warn("monitor: a nudge failed", active[place]?.name, String(outcome.reason));
  });
}
