import { describe, expect, it } from "vitest";
import { NO_USE, nanosOf, type Use } from "../../../src/core/limits/amounts.ts";
import { LimitInput } from "../../../src/core/limits/settings.ts";
import fc from "../../fast-check.ts";
import { HostsUnderTest } from "./hosts-under-test.ts";

const START = Date.UTC(2026, 0, 31, 1);
const HOSTS = 2;
const usd = (amount: number): Use => ({ ...NO_USE, requests: 1, nanos: nanosOf(amount) });

const host = fc.nat(HOSTS - 1);
const which = fc.nat(20);
const use = fc
  .record({ input_tokens: fc.constantFrom(0, 1, 10, 30), cents: fc.constantFrom(0, 1, 5, 20) })
  .map(({ input_tokens, cents }): Use => ({ ...usd(cents / 100), input_tokens }));
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant("call" as const), host, use }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      which,
      percent: fc.constantFrom(0, 50, 100, 130),
      times: fc.constantFrom(1, 2),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("again" as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("refuse" as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("die" as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("kill" as const), host, downMs: fc.constantFrom(0, 100, 29_000, 40_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("away" as const), host, isAway: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.constantFrom(0, 1, 100, 1_999, 2_000, 9_999, 10_000, 24_000, 30_000, 61_000),
    }),
  },
);
const settings = fc
  .record(
    {
      requests_per_minute: fc.constantFrom(1, 2, 12, 100),
      concurrency: fc.constantFrom(1, 2, 5),
      usd_per_day: fc.constantFrom(0.01, 0.5, 3),
    },
    { requiredKeys: [] },
  )
  .map((given) => LimitInput.parse({ ...given, reservation_seconds: 86_400, ramp_seconds: 0 }));

describe("hosts that hold shares for their processes, over 1,000 histories with kills, lost answers and edges that are away", () => {
  it("never have more together than the limit, and charge each call once", () => {
    fc.assert(
      fc.property(settings, fc.array(step, { maxLength: 100 }), (given, steps) => {
        const hosts = new HostsUnderTest(given, HOSTS, START);
        for (const one of steps) {
          if (one.do === "call") hosts.call(one.host, one.use);
          else if (one.do === "end") hosts.end(one.which, part(one.percent), one.times);
          else if (one.do === "again") hosts.again(one.which);
          else if (one.do === "refuse")
            hosts.end(one.which, (took) => took, 2, { status: 429, retry_after_seconds: 5 });
          else if (one.do === "die") hosts.die(one.which);
          else if (one.do === "kill") hosts.kill(one.host, one.downMs);
          else if (one.do === "away") hosts.away(one.host, one.isAway);
          else hosts.wait(one.ms);
          hosts.check();
        }
        for (const [at] of hosts.hosts.entries()) hosts.away(at, false);
        while (hosts.open.length > 0) hosts.end(0, (took) => took);
        hosts.wait(31_000);
        expect(hosts.spentNanos).toBe(hosts.charged.nanos);
        expect(hosts.hosts.map(({ share, outbox, blocks }) => [share.held, outbox, blocks.size])).toEqual(
          hosts.hosts.map(() => [[], [], 0]),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});

/** What a call uses of what it took. */
const part =
  (percent: number) =>
  (took: Use): Use => ({
    requests: 1,
    input_tokens: Math.ceil((took.input_tokens * percent) / 100),
    output_tokens: 0,
    nanos: Math.ceil((took.nanos * percent) / 100),
  });

const wide = () => new HostsUnderTest(LimitInput.parse({ usd_per_day: 100, concurrency: 50 }), HOSTS, START);

describe("the share of a host", () => {
  it("answers a hundred calls with a few blocks, and has told all of it when it was idle for two seconds", () => {
    const hosts = wide();
    for (let n = 0; n < 100; n++) {
      hosts.call(0, usd(0.02));
      hosts.end(0, part(50));
      hosts.wait(20);
    }
    expect(hosts.state.days[0]?.held).toBeGreaterThan(0);
    hosts.wait(2_100);
    expect([hosts.state.days[0]?.held, hosts.state.held, hosts.spentNanos]).toEqual([0, 0, nanosOf(1)]);
  });

  it("closes for all processes at once when one of them is told 429, and gives back what is not in use", () => {
    const hosts = wide();
    hosts.call(0, usd(0.02));
    hosts.call(0, usd(0.02));
    hosts.end(0, (took) => took, 1, { status: 429, retry_after_seconds: 5 });
    expect(hosts.call(0, usd(0.02))).toBeUndefined();
    expect(hosts.state.closing?.phase).toBe("closed");
    hosts.end(0, part(100));
    expect(hosts.state.held).toBe(0);
  });

  it("counts what a dead process took, as it was reserved, when its block is over", () => {
    const hosts = wide();
    hosts.call(0, usd(0.02));
    hosts.die(0);
    hosts.wait(23_900);
    expect(hosts.spentNanos).toBe(0);
    hosts.wait(200);
    expect(hosts.spentNanos).toBe(nanosOf(0.02));
  });

  it("is settled after a kill with what had ended, and open calls settle for themselves", () => {
    const hosts = wide();
    hosts.call(0, usd(0.02));
    hosts.call(0, usd(0.03));
    hosts.end(0, part(100));
    hosts.kill(0, 0);
    expect([hosts.spentNanos, hosts.state.held]).toEqual([nanosOf(0.02), 0]);
    hosts.end(0, part(100));
    expect(hosts.spentNanos).toBe(nanosOf(0.05));
  });
});
