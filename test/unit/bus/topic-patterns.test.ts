import { describe, expect, it } from "vitest";
import { explainTopics, patternsOfTopics } from "../../../local-agent/bus/topic-patterns.ts";
import { compilePatterns } from "../../../src/core/signals/pattern.ts";
import fc from "../../fast-check.ts";

const name = fc.string({ unit: fc.constantFrom("Q", "_", "A", "OBSERVATION"), minLength: 1, maxLength: 6 });

describe("patterns of bus topics", () => {
  it("are none without a topic, and none for topics with which no signal's name begins", () => {
    expect(patternsOfTopics([])).toEqual([]);
    expect(patternsOfTopics(["{", "Q X", "Q_*", "\u00fc", "Q".repeat(129)])).toEqual([]);
  });

  it("name the shortest of topics that begin alike", () => {
    expect(patternsOfTopics(["Q_BUILD_BROKEN", "Q_BUILD", "Q_A", "Q_BUILD_"])).toEqual(["Q_A*", "Q_BUILD*"]);
    expect(patternsOfTopics(["Q".repeat(128)])).toEqual(["Q".repeat(128)]);
  });

  it("leave measurements out for who asks for everything, and not for who names them", () => {
    expect(patternsOfTopics([""])).toEqual(["*", "!OBSERVATION"]);
    expect(patternsOfTopics(["", "Q_A"])).toEqual(["*", "!OBSERVATION"]);
    expect(patternsOfTopics(["", "OBSERVATION"])).toEqual(["*"]);
    expect(patternsOfTopics(["OBS"])).toEqual(["OBS*"]);
  });

  it("ask for everything but measurements where the topics are too many to be named", () => {
    expect(patternsOfTopics(Array.from({ length: 33 }, (_, n) => `Q_${n}_`))).toEqual(["*", "!OBSERVATION"]);
  });

  it("match every name that begins with a topic, measurements of who asks for everything apart", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(name, fc.constant("")), { maxLength: 40 }), name, (topics, signal) => {
        const patterns = patternsOfTopics(topics);
        const asked = topics.some((topic) => signal.startsWith(topic) && (topic !== "" || signal !== "OBSERVATION"));
        if (asked) expect(patterns.length > 0 && compilePatterns(patterns)(signal)).toBe(true);
      }),
    );
  });
});

describe("why the bus is sent signals", () => {
  it("names the topics of its subscribers", () => {
    expect(explainTopics(["Q_A", ""], false)).toContain('subscribed to "Q_A", everything');
    expect(explainTopics([], false)).toContain("no program on the bus is subscribed");
  });

  it("says where a subscription may be the agent's own, and what to do", () => {
    expect(explainTopics([""], true)).toContain("name the signals in edge.subscribe");
  });
});
