import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { freshEcosystem } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { aSignal, logOf, policyOf } from "../log-under-test.ts";
import { putRule } from "../policy/policies-under-test.ts";
import { decide, forwardedTo, forwarding, lineageOf } from "./federation-under-test.ts";

/** Signals in each direction; `npm run federation` asks for 10,000. */
const COUNT = Number((env as { FEDERATION_SIGNALS?: string }).FEDERATION_SIGNALS ?? "400");
const BATCH = 50;
const CHAINS_EXPLAINED = 20;

/** Repeats what an aborted object may have left undone. */
async function insistently<Answer>(act: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      if (attempt === 50) throw error;
    }
  }
}

/** Numbered as an agent numbers: a batch that was sent twice is there once. */
async function send(eco: string, name: string): Promise<void> {
  for (let first = 1; first <= COUNT; first += BATCH) {
    const signals = Array.from({ length: Math.min(BATCH, COUNT - first + 1) }, (_, n) =>
      aSignal(name, { n: first + n }),
    );
    await insistently(() =>
      logOf(eco).append({ producer: { name: `host.${name}.local`, first, remote: true }, signals }),
    );
  }
}

describe("two ecosystems that forward to each other", () => {
  test("have each other's signals once, and explain them, whatever objects are aborted meanwhile", {
    timeout: 1_800_000,
  }, async () => {
    const [a, b] = [freshEcosystem(), freshEcosystem()];
    await putRule(a, "up", forwarding("X_UP", b));
    await putRule(b, "down", forwarding("X_DOWN", a));
    let sending = true;
    const aborted = (async () => {
      const objects = [policyOf, logOf].flatMap((of) => [a, b].map((eco) => () => of(eco)));
      let kills = 0;
      while (sending) {
        const pick = objects[Math.floor(Math.random() * objects.length)];
        if (pick !== undefined) await crash(pick());
        kills++;
        const [one, other] = [a, b].map((eco) => insistently(() => decide(eco)).catch(() => undefined));
        await Promise.all([one, other]);
      }
      return kills;
    })();
    await Promise.all([send(a, "X_UP"), send(b, "X_DOWN")]);
    await Promise.all([a, b].map((eco) => insistently(() => decide(eco))));
    sending = false;
    expect(await aborted).toBeGreaterThan(0);

    const arrived = async (eco: string) => (await forwardedTo(eco)).map(({ facts }) => Number(facts.n));
    const patient = { timeout: 600_000, interval: 200 };
    await expect
      .poll(async () => [(await arrived(a)).length, (await arrived(b)).length], patient)
      .toEqual([COUNT, COUNT]);
    const each = Array.from({ length: COUNT }, (_, n) => n + 1);
    expect([(await arrived(a)).sort((x, y) => x - y), (await arrived(b)).sort((x, y) => x - y)]).toEqual([each, each]);

    const there = await forwardedTo(b);
    for (let n = 0; n < CHAINS_EXPLAINED; n++) {
      const signal = there[Math.floor((n * there.length) / CHAINS_EXPLAINED)];
      const { upstream } = await lineageOf(b, signal?.id ?? "");
      expect(upstream).toMatchObject([{ ecosystem: a, readable: true, decisions: [{ rule: "up", outcome: "fired" }] }]);
      const origin = upstream?.[0]?.signals[0];
      expect(origin).toMatchObject({ id: signal?.via?.id, facts: signal?.facts });
      expect((await lineageOf(a, origin?.id ?? "")).forwards).toMatchObject([
        { forward_id: signal?.id, state: "arrived" },
      ]);
    }
  });
});
