import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { upToDateBundle } from "../../../local-edge/bundle.ts";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { freePort } from "../../harness/free-port.ts";
import { RunningProcess } from "../../harness/running-process.ts";

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** Comments and lines that go on are read as a builder reads them. */
const instructions: Instruction[] = readFileSync(join(PROJECT_ROOT, "Containerfile"), "utf8")
  .replace(/^#.*\n/gm, "")
  .replace(/\\\n/g, " ")
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line) => {
    const [, name = "", text = ""] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    return { name, text: text.replace(/\s+/g, " ").trim() };
  });

const all = (name: string) => instructions.filter((each) => each.name === name).map(({ text }) => text);
const one = (name: string) => all(name)[0] ?? "";
const words = (json: string): string[] => JSON.parse(json) as string[];
const copied = all("COPY").flatMap((text) => {
  const parts = text.split(" ");
  const target = parts.pop() ?? "";
  return parts.map((source) => ({ source, target: target === "./" ? basename(source) : target }));
});

describe("the container of the edge", () => {
  it("has instructions that builders know, and copies what they are given", () => {
    const known = "FROM RUN WORKDIR COPY USER VOLUME ENV EXPOSE HEALTHCHECK STOPSIGNAL ENTRYPOINT CMD".split(" ");
    expect(instructions.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([]);
    const given = readFileSync(join(PROJECT_ROOT, ".containerignore"), "utf8").split("\n");
    for (const { source } of copied) expect(given).toContain(`!${source}`);
    expect(one("USER")).toBe("node");
  });

  it("has all sources of the Worker, and runs an edge that its health check finds well", async () => {
    const image = temporaryDirectory();
    for (const { source, target } of copied)
      cpSync(join(PROJECT_ROOT, source), join(image, target), { recursive: true });
    // What `npm ci` installs.
    symlinkSync(join(PROJECT_ROOT, "node_modules"), join(image, "node_modules"));
    // What `npm run build` makes here. It fits only where every source of the Worker is in the image, too.
    expect(all("RUN").join("\n")).toContain("npm run build");
    mkdirSync(join(image, "dist"));
    writeFileSync(join(image, "dist/mf.json"), JSON.stringify(await upToDateBundle()));

    const state = join(temporaryDirectory(), "state");
    mkdirSync(state);
    const port = String(await freePort());
    const env = Object.fromEntries(
      one("ENV")
        .split(" ")
        .map((pair) => pair.split("=") as [string, string]),
    );
    expect(env).toEqual({ GANGLION_STATE_DIR: one("VOLUME"), GANGLION_LISTEN: "0.0.0.0:8787" });
    const [program, ...args] = [...words(one("ENTRYPOINT")), ...words(one("CMD"))];
    expect(program).toBe("node");
    const edge = new RunningProcess(args, {
      cwd: image,
      env: { GANGLION_PORT: undefined, GANGLION_STATE_DIR: state, GANGLION_LISTEN: `0.0.0.0:${port}` },
    });
    await edge.line(/^ready /);
    // Nothing is written to the image, whose files are not the user's.
    expect(edge.lines.join("\n")).not.toContain("Building");
    const [, check = "[]"] = /CMD (\[.*\])$/.exec(one("HEALTHCHECK")) ?? [];
    const [, ...checkArgs] = words(check).map((word) => word.replace("8787", port));
    const health = () => new RunningProcess(checkArgs, { cwd: image }).ended;
    expect(await health()).toBe(0);
    expect(await edge.stop(one("STOPSIGNAL") as NodeJS.Signals)).toBe(0);
    expect(await health()).toBe(1);
  });
});
