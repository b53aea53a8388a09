import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../../cli/commands/all.ts";
import { TOPICS } from "../../../cli/help/topics.ts";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { ganglion } from "./ganglion.ts";

describe("the help of ganglion", () => {
  it("names every command, and shows the options that go with all of them at each", async () => {
    const { out } = await ganglion(["--help"]);
    for (const name of Object.keys(COMMANDS)) expect(out).toMatch(new RegExp(`^  ${name}\\b`, "m"));
    for (const args of [["gaps"], ["tokens", "create"], ["policy", "packs", "enable"]]) {
      const shown = await ganglion([...args, "--help"]);
      expect([shown.code, shown.out]).toEqual([0, expect.stringContaining("Global Options:")]);
      for (const option of ["--url", "--context", "--json", "--wide"]) expect(shown.out).toContain(option);
      expect((await ganglion(["help", ...args])).out).toBe(shown.out);
    }
    expect((await ganglion(["help"])).out).toBe(out);
  });

  it("shows the version of the package", async () => {
    const { version } = JSON.parse(readFileSync(join(PROJECT_ROOT, "package.json"), "utf8"));
    expect(await ganglion(["--version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });

  it("lists its topics, and shows each within 80 columns", async () => {
    const { out } = await ganglion(["help", "topics"]);
    expect(out.trim().split("\n")).toHaveLength(TOPICS.length);
    for (const { name, summary } of TOPICS) {
      const shown = await ganglion(["help", name]);
      expect([shown.code, shown.out]).toEqual([0, expect.stringContaining(`${name}: ${summary}`)]);
      expect(shown.out.split("\n").filter((line) => line.length > 80)).toEqual([]);
    }
  });

  it.each([
    [["help", "contxts"], 'did you mean "contexts"?'],
    [["help", "tokens", "craete"], 'no command and no topic is called "tokens craete": did you mean "create"?'],
    [["help", "durations", "x"], "no command and no topic"],
    [["gasp"], "(Did you mean gaps?)"],
    [["tokens", "craete"], "(Did you mean create?)"],
    [["scanners", "enabel"], "unknown command 'enabel'\n(Did you mean enable?)"],
    [["policy", "packs", "zzz"], "unknown command 'zzz'\n(There are enable, disable)"],
    [["gaps", "--statsu", "open"], "(Did you mean --status?)"],
    [["gaps", "--url"], "option '--url <url>' argument missing\n(add --help for usage)"],
    [["gaps", "--jsn"], "(Did you mean --json?)"],
  ])("says what %j probably means, and exits with 2", async (args, message) => {
    const { code, out, err } = await ganglion(args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  });

  it("makes a man page in which no word is an instruction by mistake", async () => {
    const { out } = await ganglion(["help", "--man"]);
    expect(out).toMatch(/^\.TH GANGLION 1/);
    for (const line of out.trim().split("\n")) expect(line).toMatch(/^(\.(TH|SH|TP|PP|RS|RE|B)\b|\\&\.|\\&'|[^.'])/);
    for (const name of Object.keys(COMMANDS)) expect(out).toContain(`\n.B ${name.replaceAll("-", "\\-")}`);
    for (const { name } of TOPICS) expect(out).toContain(`.SH "${name.toUpperCase().replaceAll("-", "\\-")}"`);
  });
});
