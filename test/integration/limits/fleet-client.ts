import { createClient } from "../../../src/client/client.ts";
import { type Held, LimitRefused } from "../../../src/client/limits/held.ts";

/** One agent of a fleet: calls the provider within the limit until the money of the day is spent, or the time is over. */
const { FLEET_AGENT: agent = "", FLEET_PROVIDER = "", FLEET_UNTIL = "0", FLEET_USD = "0" } = process.env;
const usd = Number(FLEET_USD);
const { limits } = createClient({ url: process.env.GANGLION_URL ?? "", token: process.env.GANGLION_TOKEN ?? "" });

const work = async (held: Held) => {
  const answer = await fetch(FLEET_PROVIDER, { method: "POST" });
  const { cost } = (await answer.json()) as { cost: number };
  held.used({ usd: cost });
  if (answer.status === 429)
    held.refused({ retry_after_seconds: Number(answer.headers.get("Retry-After")), reason: "too many requests" });
};

let end = "the time is over";
while (Date.now() < Number(FLEET_UNTIL)) {
  try {
    await limits.with("provider", { amounts: { usd }, agent }, work, { patienceMs: 2_000 });
  } catch (error) {
    if (!(error instanceof LimitRefused)) throw error;
    // The reset of the provider is seconds away, the end of the day hours.
    if (Date.parse(error.answer.closed_until ?? "") - Date.now() < 60_000 || error.answer.closed_until === undefined)
      continue;
    end = error.answer.why ?? end;
    break;
  }
}
console.log(JSON.stringify({ agent, end }));
