import { describe, expect, it } from "vitest";
import { type CallCounter, countCalls } from "../../../src/durable-objects/shell/count-calls.ts";

const BEGAN_MS = 1_000;

class Root {}

class Base extends Root {
  readonly counts = { calls: 0, alarms: 0, messages: 0 };
  ended = 0;
  endedAtMs = Number.NaN;
  refuses = false;
  usage(): object {
    return this.counts;
  }
}

class Counted extends Base {
  #private(): string {
    return "private";
  }
  add(a: number, b: number): number {
    return a + b;
  }
  own(): string {
    return this.#private();
  }
  later(answer: Promise<string>): Promise<string> {
    return answer;
  }
  fails(): void {
    throw new Error("as asked");
  }
  alarm(): void {}
  read = 0;
  webSocketMessage(): void {
    this.read++;
  }
  webSocketClose(): void {}
}

const counterOf = (instance: object): CallCounter => {
  const base = instance as Base;
  const { counts } = base;
  return {
    called: () => {
      counts.calls++;
      return BEGAN_MS;
    },
    alarmFired: () => {
      counts.alarms++;
      return BEGAN_MS;
    },
    messageCame: () => {
      counts.messages++;
      return base.refuses ? undefined : BEGAN_MS;
    },
    ended: (nowMs) => {
      base.ended++;
      base.endedAtMs = nowMs;
    },
  };
};

function fresh(): Counted {
  countCalls(Counted.prototype, Root.prototype, counterOf);
  return new Counted();
}

describe("counting the calls of a class", () => {
  it("counts a call once, however many instances there have been", () => {
    fresh();
    fresh();
    const object = fresh();
    expect(object.add(1, 2)).toBe(3);
    expect(object.counts).toEqual({ calls: 1, alarms: 0, messages: 0 });
  });

  it("counts the methods of base classes", () => {
    const object = fresh();
    object.usage();
    expect(object.counts.calls).toBe(1);
  });

  it("counts a call that fails", () => {
    const object = fresh();
    expect(() => object.fails()).toThrow("as asked");
    expect(object.counts.calls).toBe(1);
  });

  it("does not count what a method calls privately", () => {
    const object = fresh();
    object.own();
    expect(object.counts.calls).toBe(1);
  });

  it("tells alarms and messages from calls, and counts no closing", () => {
    const object = fresh();
    object.alarm();
    object.webSocketMessage();
    object.webSocketClose();
    expect(object.counts).toEqual({ calls: 0, alarms: 1, messages: 1 });
  });

  it("notices the end of each call: of one that throws, and of one that answers later", async () => {
    const object = fresh();
    object.own();
    expect(() => object.fails()).toThrow();
    expect(object.ended).toBe(2);
    let resolve = (_: string) => {};
    const answer = object.later(new Promise((done) => (resolve = done)));
    const refused = object.later(Promise.reject(new Error("as asked")));
    await expect(refused).rejects.toThrow("as asked");
    expect(object.ended).toBe(3);
    resolve("late");
    expect(await answer).toBe("late");
    expect(object.ended).toBe(4);
  });

  it("takes the time of its beginning as the end of a call that waits for nothing, and else reads the clock", async () => {
    const object = fresh();
    object.own();
    expect(object.endedAtMs).toBe(BEGAN_MS);
    await object.later(Promise.resolve("later"));
    expect(object.endedAtMs).toBeGreaterThan(BEGAN_MS);
  });

  it("does not hand on a message that must not be read", () => {
    const object = fresh();
    object.refuses = true;
    object.webSocketMessage();
    expect([object.counts.messages, object.read, object.ended]).toEqual([1, 0, 0]);
  });
});
