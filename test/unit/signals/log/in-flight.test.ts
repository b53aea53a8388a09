import { describe, expect, it } from "vitest";
import { IN_FLIGHT, InFlight } from "../../../../src/core/signals/log/in-flight.ts";

/** Fills an account as a reader who does not read would have it filled. */
function fill(account: { readonly room: number; readonly bytes: number; set(bytes: number): void }): void {
  while (account.room > 0) account.set(account.bytes + Math.min(account.room, IN_FLIGHT.frameBytes));
}

describe("bytes in flight", () => {
  it("are bounded for a socket", () => {
    const account = new InFlight().open("log", "t");
    fill(account);
    expect(account.bytes).toBeLessThanOrEqual(IN_FLIGHT.socketBytes);
    expect(account.bytes).toBeGreaterThan(IN_FLIGHT.socketBytes - IN_FLIGHT.leastBytes);
  });

  it("are bounded for a token, however many sockets it has, and each of them may be sent something", () => {
    const inFlight = new InFlight();
    const accounts = Array.from({ length: 150 }, () => inFlight.open("log", "t"));
    for (const account of accounts) fill(account);
    expect(Math.min(...accounts.map(({ bytes }) => bytes))).toBeGreaterThan(0);
    expect(inFlight.bytesOf("t")).toBeLessThanOrEqual(IN_FLIGHT.tokenBytes + 150 * IN_FLIGHT.leastBytes);
  });

  it("are bounded for the isolate, over objects and tokens", () => {
    const inFlight = new InFlight();
    for (let number = 0; number < 3_000; number++) fill(inFlight.open(`log${number % 7}`, `t${number}`));
    expect(inFlight.bytes).toBeLessThanOrEqual(IN_FLIGHT.isolateMostBytes + IN_FLIGHT.leastBytes);
  });

  it("leave room for another token when one token has taken its own", () => {
    const inFlight = new InFlight();
    for (let number = 0; number < 40; number++) fill(inFlight.open("log", "greedy"));
    expect(inFlight.open("log", "other").room).toBeGreaterThan(IN_FLIGHT.frameBytes);
  });

  it("are given back by a socket that is gone, once, and by an object that is woken again", () => {
    const inFlight = new InFlight();
    const [one, two] = [inFlight.open("log", "t"), inFlight.open("log", "t")];
    one.set(1_000);
    two.set(500);
    inFlight.open("other", "t").set(7);
    one.close();
    one.close();
    one.set(99);
    expect([inFlight.bytes, inFlight.bytesOf("t")]).toEqual([507, 507]);
    inFlight.forget("log");
    expect([inFlight.bytes, inFlight.bytesOf("t")]).toEqual([7, 7]);
  });
});
