import { describe, expect, it } from "vitest";
import { pythonWith } from "../../harness/python.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { runFakeProvider } from "./fake-provider.ts";

/** `npm run limits-fleet` runs it for minutes, so that minutes are used up, too. */
const FULL_SECONDS = Number(process.env.FLEET_SECONDS ?? "0");
const CLIENTS = 20;
const USD = 0.02;
const AT_A_TIME = 4;
const scenario =
  FULL_SECONDS === 0
    ? { requestsPerMinute: 6_000, usdPerDay: 6.5, seconds: 60 }
    : { requestsPerMinute: 400, usdPerDay: FULL_SECONDS * 0.09, seconds: FULL_SECONDS };
const python = pythonWith("json");

/** Days of the limit begin about half a day from now: none begins while the fleet works. */
const zoneAtNoon = (nowMs: number) => {
  const hours = 12 - new Date(nowMs).getUTCHours();
  return hours === 0 ? "Etc/GMT" : `Etc/GMT${hours > 0 ? "-" : "+"}${Math.abs(hours)}`;
};

describe("twenty clients on three hosts, half of them in Python, and a provider with a limit", () => {
  it("meet at most one 429 in a hundred answers after the first, and spend no more than the day has", {
    timeout: 1_000 * (scenario.seconds + 120),
  }, async () => {
    const { requestsPerMinute, usdPerDay, seconds } = scenario;
    const edge = await runEdge();
    const client = edge.client();
    await client.limits.put("provider", {
      requests_per_minute: requestsPerMinute,
      concurrency: AT_A_TIME,
      usd_per_day: usdPerDay,
      zone: zoneAtNoon(Date.now()),
      ramp_seconds: 1,
    });
    await client.budgets.put("all", { scope: "ecosystem", usd: usdPerDay * 2, per: "life" });
    const blockMs = 2_000;
    const provider = await runFakeProvider({
      requestsPerMinute,
      atATime: AT_A_TIME,
      usd: USD,
      blockAfter: 150,
      blockMs,
    });
    const processes = Array.from({ length: CLIENTS }, (_, place) => {
      const env = {
        GANGLION_URL: edge.url,
        GANGLION_TOKEN: edge.token,
        GANGLION_HOST_ID: `host-${place % 3}`,
        FLEET_AGENT: `agent-${place}`,
        FLEET_PROVIDER: provider.url,
        FLEET_USD: String(USD),
        FLEET_UNTIL: String(Date.now() + seconds * 1_000),
      };
      return place % 2 === 1 && python !== undefined
        ? new RunningProcess(["test/integration/limits/fleet_client.py"], { command: python, env })
        : new RunningProcess(["test/integration/limits/fleet-client.ts"], { env });
    });
    const ends = await Promise.all(processes.map(({ ended }) => ended));
    expect(ends, processes.map(({ lines }) => lines.join("\n")).join("\n")).toEqual(ends.map(() => 0));

    const { answers, spentUsd } = provider;
    const refused = answers.filter(({ status }) => status === 429);
    const limit = await client.limits.show("provider");
    const [budget] = (await client.budgets.show("all")).used;
    console.log(
      `${answers.length} answers of ${CLIENTS} clients: ${refused.length} were 429 (${[...new Set(refused.map(({ why }) => why))].join(", ")}); ` +
        `$${spentUsd.toFixed(6)} of $${usdPerDay} spent, of which the edge knows $${limit.spent_usd.toFixed(6)}`,
    );
    // One learns that the account is used up; those that had asked already learn it with the one.
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length - 1).toBeLessThanOrEqual(answers.length / 100);
    expect(spentUsd).toBeLessThanOrEqual(usdPerDay + USD);
    expect(spentUsd).toBeGreaterThan(FULL_SECONDS === 0 ? usdPerDay - 2 * USD : 0);
    expect(limit.spent_usd).toBeCloseTo(spentUsd, 6);
    expect(budget?.usd).toBeCloseTo(spentUsd, 6);
    expect(limit.held).toBe(0);
  });
});
