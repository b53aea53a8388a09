import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missingPrograms } from "../../../local-agent/config/missing-programs.ts";
import { loadSettings } from "../../../local-agent/config/settings.ts";

/** The warnings about a file with these sections, in a directory that holds a script and a plain file. */
function warnings(sections: object) {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-check-"));
  const file = join(directory, "agent.yaml");
  writeFileSync(join(directory, "script.sh"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(join(directory, "plain.txt"), "", { mode: 0o644 });
  mkdirSync(join(directory, "folder"));
  writeFileSync(file, JSON.stringify(sections));
  const { settings, problems } = loadSettings({ GANGLION_TOKEN: "t" }, directory, file);
  if (settings === undefined) throw new Error(JSON.stringify(problems));
  return missingPrograms(settings, { PATH: "/usr/bin:/bin" }).map(({ where, message }) => [where, message]);
}

const agent = (command: string[], more: object = {}) => ({ agents: { coder: { command, ...more } } });

describe("the check of the programs in the settings", () => {
  it("accepts programs in the PATH, by their path, and the agent's own Node", () => {
    expect(warnings(agent(["sh", "-c", "true"]))).toEqual([]);
    expect(warnings(agent(["./script.sh"]))).toEqual([]);
    expect(warnings(agent(["../script.sh"], { directory: "folder" }))).toEqual([]);
    expect(warnings(agent(["node", "x.ts"]))).toEqual([]);
  });

  it.each(["no-such-program", "./plain.txt", "./folder", "./gone.sh"])(
    "names a program that cannot be run: %s",
    (program) => {
      expect(warnings(agent([program]))).toEqual([["agents.coder.command", expect.stringContaining(program)]]);
    },
  );

  it("names a directory that does not exist", () => {
    expect(warnings(agent(["sh"], { directory: "gone" }))).toEqual([
      ["agents.coder.directory", expect.stringMatching(/\/gone does not exist/)],
    ]);
  });

  it("looks at the commands of reactions and of file workers, too", () => {
    const found = warnings({
      reactions: {
        tidy: { when: "X", run: { command: ["no-such-program"] } },
        line: { when: "X", run: { command: "a | b" } },
      },
      workers: { run: [{ name: "review", command: ["./gone.py"] }] },
    });
    expect(found.map(([where]) => where)).toEqual(["reactions.tidy.run.command", "workers.run.0.command"]);
  });
});
