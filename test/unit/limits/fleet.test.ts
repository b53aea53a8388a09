import { describe, expect, it } from "vitest";
import { LimitMachine } from "../../../src/core/limits/machine.ts";
import { LimitInput } from "../../../src/core/limits/settings.ts";
import { newState } from "../../../src/core/limits/state.ts";
import { MemoryLedger } from "./ledger-under-test.ts";

const START = Date.UTC(2026, 0, 31, 12);
const NO = { requests: 0, input_tokens: 0, output_tokens: 0, nanos: 0 };

/** A provider that counts minutes as it likes, and another user of the same account, of whom nobody here knows. */
class Provider {
  readonly #perMinute: number;
  readonly answers: { atMs: number; status: 200 | 429 }[] = [];
  readonly #taken: number[] = [];
  #blockedUntilMs = 0;

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  block(untilMs: number): void {
    this.#blockedUntilMs = untilMs;
  }

  ask(nowMs: number): { status: 200 | 429; retryAfterMs: number } {
    const recent = this.#taken.filter((atMs) => atMs > nowMs - 60_000);
    const freeMs = Math.max(this.#blockedUntilMs, recent.length < this.#perMinute ? 0 : (recent[0] ?? 0) + 60_000);
    const status = freeMs > nowMs ? 429 : 200;
    this.answers.push({ atMs: nowMs, status });
    if (status === 200) this.#taken.push(nowMs);
    return { status, retryAfterMs: Math.max(0, freeMs - nowMs) };
  }
}

/** Twenty clients on three hosts, each of which reserves, asks, settles and asks again, for an hour. */
function hourOf(perMinute: number, provider: Provider, costNanos: number, settings: object) {
  const limit = LimitInput.parse({ requests_per_minute: perMinute, ...settings });
  const state = newState(START);
  const ledger = new MemoryLedger();
  const events: { atMs: number; run: () => void }[] = [];
  let nowMs = START;
  let number = 0;
  const after = (ms: number, run: () => void) => events.push({ atMs: nowMs + ms, run });
  const machine = () => {
    const made = new LimitMachine("api", limit, state, ledger);
    made.advance(nowMs);
    return made;
  };
  const client = (host: number) => {
    const id = `r${number++}`;
    const refused = machine().reserve(id, { requests: 1, nanos: costNanos });
    if (refused !== undefined) {
      after(Math.max(50, (refused.untilMs ?? nowMs + 1_000) - nowMs), () => client(host));
      return;
    }
    // Each host is as far away as its number says, and answers take from half a second to four.
    after(5 * host, () => {
      const { status, retryAfterMs } = provider.ask(nowMs);
      after(status === 429 ? 50 : 500 + ((number * 997) % 3_500), () => {
        const settling = machine();
        settling.settle(id, (reserved) => (status === 429 ? { ...NO, requests: 1 } : reserved), status === 200);
        if (status === 429) settling.close("429", retryAfterMs);
        after(10, () => client(host));
      });
    });
  };
  for (let place = 0; place < 20; place++) client(1 + (place % 3));
  for (;;) {
    let first = 0;
    for (let place = 1; place < events.length; place++)
      if ((events[place]?.atMs ?? 0) < (events[first]?.atMs ?? 0)) first = place;
    const [next] = events.splice(first, 1);
    if (next === undefined || next.atMs > START + 3_600_000) break;
    nowMs = Math.max(nowMs, next.atMs);
    next.run();
  }
  const refusals = provider.answers.filter(({ status }) => status === 429).length;
  return { refusals, answers: provider.answers.length, state };
}

describe("twenty clients on three hosts, and a provider with a limit", () => {
  it("meet no 429 at all where the limit is the provider's, and use most of it", () => {
    const provider = new Provider(60);
    const { refusals, answers } = hourOf(60, provider, 0, {});
    expect(refusals).toBe(0);
    expect(answers).toBeGreaterThan(0.9 * 60 * 60);
  });

  it("meet at most one 429 in a hundred answers after the first, where somebody else uses the account up for twenty minutes", () => {
    const provider = new Provider(60);
    provider.block(START + 20 * 60_000);
    const { refusals, answers } = hourOf(60, provider, 0, {});
    expect(refusals - 1).toBeLessThanOrEqual(answers / 100);
    expect(answers).toBeGreaterThan(0.8 * 60 * 40);
  });

  it("meet few of them where the limit is set to twice what the provider gives", () => {
    const provider = new Provider(60);
    const { refusals, answers } = hourOf(120, provider, 0, {});
    expect(refusals).toBeLessThan(answers / 10);
  });

  it("spend no more than the dollars of the day", () => {
    const provider = new Provider(600);
    const { state, answers } = hourOf(600, provider, 70_000_000, { usd_per_day: 10 });
    expect(answers).toBe(142);
    expect(state.days.map(({ spent, held }) => [spent, held])).toEqual([[9.94e9, 0]]);
  });
});
