import { describe, expect, test } from "vitest";
import { openReactions } from "../../../local-agent/reactions/open-reactions.ts";
import { ReactionsSettings } from "../../../local-agent/reactions/settings.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";

const log = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };
const reactionWith = (where: string) => {
  const settings = ReactionsSettings.parse({ r: { when: "Q_A", where, run: { command: ["true"] } } });
  const [reaction] = openReactions(settings, {
    hostId: "h",
    baseDir: "/",
    outputs: { pathOf: () => "/" },
    now: () => 0,
    log: log as never,
  }).signals;
  if (reaction === undefined) throw new Error("no reaction");
  return reaction;
};
const signal = (facts: Record<string, unknown>): Signal => ({
  seq: 1,
  id: "s1",
  signal: "Q_A",
  source: "t",
  ecosystem: "e",
  facts,
  timestamp: "2026-01-01T00:00:00.000Z",
  received_at: "2026-01-01T00:00:00.000Z",
});

describe("condition of a host's reaction", () => {
  test("decides on the signal", () => {
    const reaction = reactionWith("facts.n > 1");
    expect([reaction.applies(signal({ n: 1 })), reaction.applies(signal({ n: 2 }))]).toEqual([false, true]);
  });

  test("that takes too many steps fails with the reason, and is not evaluated again", () => {
    const reaction = reactionWith("facts.list.all(a, facts.list.all(b, facts.list.all(c, true)))");
    const list = Array.from({ length: 1_000 }, (_, index) => index);
    expect(() => reaction.applies(signal({ list }))).toThrow("more than 100000 steps");
    expect(() => reaction.applies(signal({ list: [] }))).toThrow("until the settings are loaded again");
  });
});
