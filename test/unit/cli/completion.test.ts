import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { ganglion } from "./ganglion.ts";

async function words(...typed: string[]) {
  const { code, out, err } = await ganglion(["__complete", ...typed]);
  expect([code, err]).toEqual([0, ""]);
  return out === ""
    ? []
    : out
        .trimEnd()
        .split("\n")
        .map((line) => line.split("\t")[0]);
}

describe("completion", () => {
  it("knows the commands at each level", async () => {
    expect(await words("tok")).toEqual(["tokens"]);
    expect(await words("")).toContain("gaps");
    expect(await words("tokens", "")).toEqual(expect.arrayContaining(["create", "list", "delete"]));
    expect(await words("policy", "packs", "en")).toEqual(["enable"]);
  });

  it("knows options, those for all commands included, and passes over options with their values", async () => {
    expect(await words("gaps", "--st")).toEqual(["--status"]);
    expect(await words("--url", "tokens", "gaps", "--s")).toEqual(expect.arrayContaining(["--status", "--samples"]));
    expect(await words("tokens", "create", "--js")).toEqual(["--json"]);
  });

  it("knows the values of options and arguments", async () => {
    expect(await words("gaps", "--status", "")).toEqual(["open", "resolved", "all"]);
    expect(await words("tokens", "create", "x", "--scope", "signals:")).toEqual(["signals:write", "signals:read"]);
    expect(await words("completion", "")).toEqual(["bash", "zsh", "fish"]);
  });

  it("offers nothing where any text may stand, or nothing is known", async () => {
    for (const typed of [
      ["emit", ""],
      ["--token-file", ""],
      ["nothing", "here", ""],
      ["--context", ""],
    ])
      expect(await words(...typed)).toEqual([]);
  });

  it.each(["bash", "zsh", "fish"])("writes a script for %s that asks the command", async (shell) => {
    const { code, out } = await ganglion(["completion", shell]);
    expect([code, out]).toEqual([0, expect.stringContaining("__complete")]);
  });

  it("completes words with colons in bash, which breaks words there", async () => {
    const { out } = await ganglion(["completion", "bash"]);
    // Stands for the command: it answers with what it was asked.
    const run = `ganglion() { printf '%s\\t\\n' signals:read signals:write "$*"; }
      ${out}
      COMP_LINE='ganglion tokens create --scope signals:' COMP_POINT=\${#COMP_LINE}
      _ganglion; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const replies = execFileSync("bash", ["--norc", "-c", run], { encoding: "utf8" }).trimEnd().split("\n");
    expect(replies).toEqual(["read", "write", "__complete tokens create --scope signals:"]);
  });
});
