import { describe, expect, it } from "vitest";
import { type EdgeRound, EdgeVitals, type Silences, type VitalChange } from "../../../src/core/hosts/edge-vitals.ts";
import fc from "../../fast-check.ts";

const LIMITS = { edgeMs: 120_000, cronPeriods: 2, queueMs: 180_000 };
const START_MS = Date.parse("2026-01-01T00:00:00Z");

/** A host with a steady clock, a clock that people set, and an alarm that rings when the vitals ask for it. */
class Host {
  steadyMs = 0;
  wallMs = START_MS;
  readonly said: string[] = [];
  vitals: EdgeVitals;

  constructor(silent: Silences = {}) {
    this.vitals = new EdgeVitals(LIMITS, silent, this.at);
  }

  get at() {
    return { steadyMs: this.steadyMs, wallMs: this.wallMs };
  }

  linked(): this {
    return this.#do(() => this.vitals.linked(this.at));
  }

  lost(reason = "the connection broke"): this {
    return this.#do(() => this.vitals.lost(reason, this.at));
  }

  asked(round?: EdgeRound): this {
    return this.#do(() => this.vitals.asked(round, this.at));
  }

  round(owed_since?: number): this {
    return this.asked({ round_ms: 60_000, ...(owed_since !== undefined && { owed_since }) });
  }

  /** As timers do: never before the time that was asked for. */
  pass(ms: number): this {
    const end = this.steadyMs + ms;
    for (let next = this.vitals.nextMs; next !== undefined && next <= end; next = this.vitals.nextMs) {
      const step = Math.max(0, next - this.steadyMs);
      this.steadyMs += step;
      this.wallMs += step;
      this.#do(() => this.vitals.advance(this.at));
    }
    this.wallMs += end - this.steadyMs;
    this.steadyMs = end;
    return this;
  }

  /** Somebody sets the clock. */
  set(ms: number): this {
    this.wallMs += ms;
    return this;
  }

  restart(): this {
    this.vitals = new EdgeVitals(LIMITS, this.vitals.silent, this.at);
    return this;
  }

  #do(step: () => void): this {
    step();
    this.said.push(...this.vitals.drain().map(({ part, state }: VitalChange) => `${part} ${state}`));
    return this;
  }
}

describe("what a host watches of its edge", () => {
  it("tells once that the edge is silent, and once that it is back, but of no short absence", () => {
    const host = new Host().linked();
    host.lost().pass(119_999).linked().round();
    expect(host.said).toEqual([]);
    host.lost().pass(600_000).lost("nothing listens").pass(600_000);
    expect(host.said).toEqual(["edge silent"]);
    host.linked().round().pass(1);
    expect(host.said).toEqual(["edge silent", "edge back"]);
  });

  it("tells within two periods that the cron stands still while the link is open, and once that it is back", () => {
    const host = new Host().linked().round();
    host.pass(119_999);
    expect(host.said).toEqual([]);
    host.pass(1);
    expect(host.said).toEqual(["cron silent"]);
    host.pass(3_600_000).round().pass(60_000).round();
    expect(host.said).toEqual(["cron silent", "cron back"]);
  });

  it("sees a cron that stands still also where the link breaks each minute", () => {
    const host = new Host().linked().round();
    for (let n = 0; n < 4; n++) host.pass(40_000).lost().pass(10_000).linked();
    expect(host.said).toEqual(["cron silent"]);
  });

  it("takes no question of a person for a round, once the edge names its rounds", () => {
    const host = new Host().linked().round();
    for (let n = 0; n < 5; n++) host.pass(30_000).asked();
    expect(host.said).toEqual(["cron silent"]);
    const earlier = new Host().linked();
    for (let n = 0; n < 5; n++) earlier.pass(60_000).asked();
    expect(earlier.said).toEqual([]);
  });

  it("tells that the queue is silent by the same debt over three minutes, and of no debt that is paid and made again", () => {
    const host = new Host().linked();
    for (let n = 0; n < 10; n++) host.round(n).pass(60_000);
    expect(host.said).toEqual([]);
    for (let n = 0; n < 10; n++) host.round(77).pass(60_000);
    expect(host.said).toEqual(["queue silent"]);
    host.round();
    expect(host.said).toEqual(["queue silent", "queue back"]);
  });

  it("tells nothing twice over restarts, and not that a clock was set", () => {
    const host = new Host()
      .linked()
      .round()
      .set(86_400_000)
      .pass(60_000)
      .round()
      .set(-2 * 86_400_000)
      .pass(60_000)
      .round(5);
    expect(host.said).toEqual([]);
    host.lost().pass(120_000).restart().pass(600_000).restart().set(86_400_000).pass(600_000);
    expect(host.said).toEqual(["edge silent"]);
    host.linked().restart();
    host.linked().round();
    expect(host.said).toEqual(["edge silent", "edge back"]);
  });

  const step = fc.oneof(
    fc.record({ do: fc.constantFrom("linked" as const, "lost" as const, "asked" as const, "restart" as const) }),
    fc.record({ do: fc.constant("round" as const), owed: fc.option(fc.nat({ max: 2 }), { nil: undefined }) }),
    fc.record({
      do: fc.constant("pass" as const),
      ms: fc.constantFrom(1, 1_000, 59_999, 60_000, 119_999, 120_000, 180_000),
    }),
    fc.record({ do: fc.constant("set" as const), ms: fc.integer({ min: -1e9, max: 1e9 }) }),
  );

  it("alternates between silent and back, never without its cause, whatever happened before", () => {
    let told = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const host = new Host();
        let linked = false;
        let awayMs = 0;
        let quietMs = 0;
        for (const one of steps) {
          const before = host.said.length;
          if (one.do === "pass") {
            host.pass(one.ms);
            if (linked) quietMs += one.ms;
            else awayMs += one.ms;
          } else if (one.do === "set") host.set(one.ms);
          else if (one.do === "round") host.round(one.owed);
          else host[one.do]();
          for (const news of host.said.slice(before)) {
            if (news === "edge silent") expect(awayMs).toBeGreaterThanOrEqual(120_000);
            if (news === "cron silent") expect([linked, quietMs >= 120_000]).toEqual([true, true]);
          }
          if (one.do === "linked") [linked, awayMs] = [true, 0];
          if (one.do === "lost") linked = false;
          if (one.do === "restart") [linked, awayMs, quietMs] = [false, 0, 0];
          if (one.do === "round") quietMs = 0;
          for (const part of ["edge", "cron", "queue"]) {
            const news = host.said.filter((text) => text.startsWith(part)).map((text) => text.split(" ")[1]);
            expect(news).toEqual(news.map((_, place) => (place % 2 === 0 ? "silent" : "back")));
          }
          // While the edge is away for long it is silent, whoever set which clock.
          if (!linked && awayMs >= 120_000) expect(host.vitals.silent.edge).toBeDefined();
        }
        told += host.said.length;
      }),
      { numRuns: 1_000 },
    );
    expect(told).toBeGreaterThan(500);
  });
});
