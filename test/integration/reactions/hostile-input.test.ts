import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { atEnd } from "../../harness/cleanup.ts";
import { ReactingHost } from "./reacting-host.ts";

/** What a shell, or a list of variables, would take for more than a text. */
const FACTS = {
  "$(touch injected)": "`touch injected`; touch injected",
  branch: "main\nPATH=/evil\n$(touch injected)",
  PATH: "/evil",
  LD_PRELOAD: "/evil.so",
  GANGLION_SIGNAL_ID: "forged",
  "x; touch injected": ["'; touch injected; '", '"; touch injected; "', "--help", "-rf /"],
};

describe("a command that reacts to a signal with hostile facts", () => {
  it.each([
    ["a line of a shell", "env -0 > variables; cat > input"],
    ["a list", ["sh", "-c", "env -0 > variables; cat > input"]],
  ])("gets them as data alone, as %s: they run nothing and set no variable", async (_, command) => {
    const one = new ReactingHost({ it: { when: "Q_A", run: { command } } });
    await one.inbox.receive(0, []);
    await one.reactions.start();
    atEnd(() => one.stop());
    await one.receive(1, "Q_A", FACTS, { source: "a; touch injected" });
    expect((await one.until(1))[0]).toMatchObject({ signal: "Q_REACTION_COMPLETE" });
    expect(JSON.parse(readFileSync(join(one.directory, "input"), "utf8"))).toMatchObject({
      id: "s1.abc",
      facts: FACTS,
    });
    expect(existsSync(join(one.directory, "injected"))).toBe(false);
    const variables = readFileSync(join(one.directory, "variables"), "utf8").split("\0");
    expect(variables).toContain(`PATH=${process.env.PATH}`);
    expect(variables).toContain("GANGLION_SIGNAL_ID=s1.abc");
    expect(variables.filter((line) => line.startsWith("LD_PRELOAD="))).toEqual([]);
  });
});
