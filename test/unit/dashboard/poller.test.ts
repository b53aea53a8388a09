import { describe, expect, test } from "vitest";
import { type Polled, Poller } from "../../../dashboard/base/poller.ts";

/** A page without a browser: its timers run when the test says so. */
function aPage() {
  const page = { hidden: false, waits: [] as { run: () => void; ms: number }[], shown: [] as Polled<number>[] };
  const host = {
    hidden: () => page.hidden,
    setTimer: (run: () => void, ms: number) => {
      page.waits.push({ run, ms });
      return run;
    },
    clearTimer: (timer: unknown) => {
      page.waits = page.waits.filter(({ run }) => run !== timer);
    },
  };
  const calls: { answer: (value: number) => void; fail: (error: Error) => void; signal: AbortSignal }[] = [];
  const load = (signal: AbortSignal) =>
    new Promise<number>((answer, fail) => {
      calls.push({ answer, fail, signal });
    });
  const poller = new Poller<number>(load, 1_000, (polled) => page.shown.push(polled), host);
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { page, calls, poller, settle };
}

describe("a poller", () => {
  test("asks at once, shows the answer and waits for the next time", async () => {
    const { page, calls, poller, settle } = aPage();
    poller.wake();
    calls[0]?.answer(7);
    await settle();
    expect(page.shown).toEqual([{ value: 7, error: undefined }]);
    expect(page.waits.map(({ ms }) => ms)).toEqual([1_000]);
    page.waits[0]?.run();
    expect(calls).toHaveLength(2);
  });

  test("makes one call at a time", () => {
    const { calls, poller } = aPage();
    poller.wake();
    poller.wake();
    expect(calls).toHaveLength(1);
  });

  test("asks for nothing while the page is hidden, and at once when it is seen again", () => {
    const { page, calls, poller } = aPage();
    page.hidden = true;
    poller.wake();
    expect(calls).toHaveLength(0);
    page.hidden = false;
    poller.wake();
    expect(calls).toHaveLength(1);
  });

  test("ends the call that is under way when the page is hidden, and ignores its answer", async () => {
    const { page, calls, poller, settle } = aPage();
    poller.wake();
    poller.pause();
    calls[0]?.answer(7);
    await settle();
    expect(calls[0]?.signal.aborted).toBe(true);
    expect(page.shown).toEqual([]);
    expect(page.waits).toEqual([]);
  });

  test("keeps the last answer while calls fail, asks less often, and as often as before once one succeeds", async () => {
    const { page, calls, poller, settle } = aPage();
    poller.wake();
    calls[0]?.answer(7);
    await settle();
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 6; attempt++) {
      page.waits.shift()?.run();
      calls[attempt]?.fail(new Error("no edge"));
      await settle();
      waits.push(page.waits[0]?.ms ?? 0);
    }
    expect(page.shown.at(-1)).toEqual({ value: 7, error: new Error("no edge") });
    expect(waits).toEqual([2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    page.waits.shift()?.run();
    calls[7]?.answer(8);
    await settle();
    expect(page.waits[0]?.ms).toBe(1_000);
  });

  test("asks anew after a change, because the call under way may not have seen the change", async () => {
    const { page, calls, poller, settle } = aPage();
    poller.wake();
    poller.reload();
    calls[0]?.answer(1);
    calls[1]?.answer(2);
    await settle();
    expect(page.shown).toEqual([{ value: 2, error: undefined }]);
  });

  test("asks no more once it was stopped", () => {
    const { calls, poller } = aPage();
    poller.stop();
    poller.wake();
    expect(calls).toHaveLength(0);
  });
});
