import { readFileSync } from "node:fs";
import { joinTeam, pathOf, readSpec } from "./team.ts";

/** The code as it is now: a module is loaded once for each text that it had. */
async function run(name: string, input: string): Promise<unknown> {
  const text = readFileSync(pathOf("code", `${name}.mjs`), "utf8");
  const module = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  return module.default(input);
}

/** Verifies code against its specification, and tries for others whether a bug is one. */
joinTeam("tester", {
  IMPLEMENTATION_COMPLETE: async ({ flow, name, kind, version }, { delegate }) => {
    const failures = [];
    for (const [input, expected] of readSpec(name).cases) {
      const actual = await run(name, input);
      if (actual !== expected) failures.push({ input, expected, actual });
    }
    const state = failures.length > 0 ? "failed" : kind === "fix" ? "fixed" : "verified";
    await delegate(kind === "fix" ? "triager" : "architect", "STATUS_UPDATE", { flow, name, version, state, failures });
    return { state };
  },
  REPRODUCE: async ({ name, input, expected }) => {
    const actual = await run(name, String(input));
    return { actual, reproduced: actual !== expected };
  },
});
