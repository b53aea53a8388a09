import { describe, expect, it } from "vitest";
import { Turns } from "../../../src/durable-objects/shell/turns.ts";

describe("work that takes turns", () => {
  it("runs in the order in which it was given, one at a time", async () => {
    const turns = new Turns();
    const events: string[] = [];
    const work = (name: string) => async () => {
      events.push(`${name} begins`);
      await Promise.resolve();
      events.push(`${name} ends`);
      return name;
    };
    expect(await Promise.all([turns.run(work("a")), turns.run(work("b"))])).toEqual(["a", "b"]);
    expect(events).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  });

  it("goes on after a failure, which only its own caller sees", async () => {
    const turns = new Turns();
    const failed = turns.run(() => Promise.reject(new Error("as asked")));
    const next = turns.run(async () => "next");
    await expect(failed).rejects.toThrow("as asked");
    expect(await next).toBe("next");
  });
});
