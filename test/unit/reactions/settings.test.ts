import { expect, test } from "vitest";
import { findingsOf } from "../../../local-agent/config/problems.ts";
import { patternsOf } from "../../../local-agent/reactions/open-reactions.ts";
import { ReactionsSettings } from "../../../local-agent/reactions/settings.ts";

const run = { command: "true" };
const problems = (settings: object): string[] => {
  const parsed = ReactionsSettings.safeParse(settings);
  if (parsed.success) return [];
  return findingsOf(parsed.error, ReactionsSettings, settings).map(
    ({ path, message }) => `${path.join(".")}: ${message}`,
  );
};

test("an invalid setting of a reaction is reported with its place and the remedy", () => {
  expect(problems({ it: { run } })).toEqual([
    "it.when: when is required: give the signals to react to, such as when: Q_BUILD_BROKEN",
  ]);
  expect(problems({ it: { when: "Q_A", on: { queue: "q", recipient: "r" }, run } })).toEqual([
    "it.on: give when (signals) or on (a queue), not both",
  ]);
  expect(problems({ it: { when: "Q A", run } })[0]).toMatch(/^it\.when.*give a signal's name/);
  expect(problems({ it: { when: "Q_A", where: "facts.n >", run } })[0]).toMatch(
    /^it\.where: the condition is not valid/,
  );
  expect(problems({ it: { when: "Q_A", where: '"text"', run } })[0]).toMatch(/the condition gives a string/);
  expect(problems({ It: { when: "Q_A", run } })[0]).toMatch(/a reaction's name holds/);
  expect(problems({ it: { when: "Q_A", run, timeout: 3 } })[0]).toMatch(/did you mean timeout_ms\?/);
  expect(problems({ it: { when: "Q_A", run: { built_in: "dreamer" } } })[0]).toMatch(/give a built-in: dream-runner/);
  expect(problems({ it: { run: { built_in: "investigator" } } })[0]).toMatch(/^it\.run\.command/);
  expect(problems({ it: { when: "Q_A", run: "true" } })).toEqual(["it.run: give {command: …} or {built_in: …}"]);
});

test("the link subscribes to the default signals of built-ins, and to none for reactions to a queue", () => {
  const settings = ReactionsSettings.parse({
    integrate: { run: { built_in: "capability-integrator" } },
    investigate: { run: { built_in: "investigator", command: "true" } },
    own: { when: ["Q_A", "!Q_B"], run },
    off: { when: "Q_C", enabled: false, run },
    all: { when: "!Q_D", run },
  });
  expect(patternsOf(settings)).toEqual(["Q_INVESTIGATION_COMPLETE", "Q_A", "*"]);
});
