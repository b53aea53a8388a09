import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Cron, startCron } from "../../../local-edge/cron.ts";

describe("the cron of the local edge", () => {
  let cron: Cron | undefined;
  const fired: string[] = [];
  const fire = async (time: Date) => {
    fired.push(time.toISOString().slice(11, 19));
  };
  const never = (error: unknown) => {
    throw error;
  };

  beforeEach(() => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1, 12, 0, 20) });
    fired.length = 0;
  });
  afterEach(async () => {
    await cron?.stop();
    vi.useRealTimers();
  });

  it("fires on each full minute", async () => {
    cron = startCron(fire, never);
    await vi.advanceTimersByTimeAsync(39_999);
    expect(fired).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(fired).toEqual(["12:01:00", "12:02:00", "12:03:00"]);
  });

  it("never runs two ticks at a time, and leaves out the minutes that one took", async () => {
    let finish = () => {};
    cron = startCron(async (time) => {
      await fire(time);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    }, never);
    await vi.advanceTimersByTimeAsync(40_000 + 150_000);
    expect(fired).toEqual(["12:01:00"]);
    finish();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(fired).toEqual(["12:01:00", "12:04:00"]);
    finish();
  });

  it("goes on after a tick that failed, and says so", async () => {
    const failures: unknown[] = [];
    cron = startCron(
      async (time) => {
        await fire(time);
        throw new Error("no luck");
      },
      (error) => failures.push(error),
    );
    await vi.advanceTimersByTimeAsync(40_000 + 60_000);
    expect(fired).toEqual(["12:01:00", "12:02:00"]);
    expect(failures).toHaveLength(2);
  });

  it("keeps to the clock when that is set back", async () => {
    cron = startCron(fire, never);
    vi.setSystemTime(Date.UTC(2026, 0, 1, 11, 30, 50));
    await vi.advanceTimersByTimeAsync(40_000);
    // 11:31:30 by the new clock: the timer for 12:01 came, and was for no minute of this one.
    expect(fired).toEqual([]);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(fired).toEqual(["11:32:00"]);
  });

  it("waits, when it is stopped, for the tick that runs, and fires no more", async () => {
    let finish = () => {};
    const tick = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const running = startCron(() => tick, never);
    await vi.advanceTimersByTimeAsync(40_000);
    let stopped = false;
    const stop = running.stop().then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(100_000);
    expect(stopped).toBe(false);
    finish();
    await stop;
    expect(vi.getTimerCount()).toBe(0);
  });
});
