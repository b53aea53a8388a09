import { describe, expect, it } from "vitest";
import type { DeadLetter } from "../../../src/core/dead-letters/dead-letter.ts";
import { givenId, idOfOwner, ownerOf } from "../../../src/core/dead-letters/owner.ts";
import { planReplay } from "../../../src/core/dead-letters/replay-plan.ts";

const AT = "2026-01-01T00:00:00.000Z";
const aDeadLetter = (id: string, daemon: string, more: Partial<DeadLetter> = {}): DeadLetter => ({
  id,
  kind: "signal",
  signal: { signal: "Q_A", source: "s", facts: {} },
  error: "e",
  daemon,
  attempts: 1,
  first_failed_at: AT,
  last_failed_at: AT,
  ...more,
});

describe("the replay of a dead letter whose id somebody else took first", () => {
  it.each([
    ["policy.7.late", "late"],
    ["policy.7", null],
    ["observations.7", null],
  ])("has the projection process the signal of %s again, and appends nothing", (id, part) => {
    const [projection = ""] = id.split(".");
    const plan = { how: "reprocess", projection, seq: 7, part };
    expect(planReplay(aDeadLetter(id, `ganglion/${projection}`))).toEqual(plan);
    expect(planReplay(aDeadLetter(`${id}~ganglion`, `ganglion/${projection}`))).toEqual(plan);
    expect(planReplay(aDeadLetter(`${id}~ganglion~ganglion`, `ganglion/${projection}`))).toEqual(plan);
  });

  it("appends a signal of a link under the id that it would have had", () => {
    expect(planReplay(aDeadLetter("h.e.local.7~h", "link/h"))).toMatchObject({ signal: { id: "h.e.local.7" } });
  });
});

describe("the id that its owner gave a dead letter", () => {
  it("is the id itself where nobody took it before, whatever it ends with", () => {
    expect(givenId({ id: "gpu.intent.1~other", daemon: "agent/intents", host: "gpu" })).toBe("gpu.intent.1~other");
  });

  it.each([
    [{ daemon: "agent/intents", host: "gpu" }, "gpu"],
    [{ daemon: "link/gpu" }, "gpu"],
    [{ daemon: "ganglion/policy" }, "ganglion"],
  ])("is found again behind that of %j", (reported, owner) => {
    expect(ownerOf(reported)).toBe(owner);
    expect(givenId({ id: idOfOwner("x.1", owner), ...reported })).toBe("x.1");
  });
});
