import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { buildOwnCommand } from "../../../cli/launch/build.ts";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";

const execute = promisify(execFile);

/** A clone whose build writes a command that prints what `source.ts` holds. */
function clone() {
  const root = temporaryDirectory();
  const file = (name: string, text: string) => {
    mkdirSync(join(root, name, ".."), { recursive: true });
    writeFileSync(join(root, name), text);
  };
  for (const name of ["cli/ganglion.mjs", "local-agent/base/run-command.mjs"])
    cpSync(join(PROJECT_ROOT, name), join(root, name));
  const build = (text: string) => file("cli/launch/build.ts", text);
  file("package.json", '{"type":"module"}');
  file("cli/main.ts", 'export const main = (argv: string[]) => console.log("from sources", ...argv.slice(2));');
  build(`
    import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
    import { dirname, join } from "node:path";
    export async function buildOwnCommand(file: string, record: string): Promise<void> {
      const source = join(import.meta.dirname, "..", "..", "source.ts");
      const text = readFileSync(source, "utf8");
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, \`//hash-of-\${text}\\nexports.main = (argv) => console.log("\${text}", ...argv.slice(2));\`);
      const { mtimeMs, size } = statSync(source);
      writeFileSync(record, JSON.stringify({ files: [["source.ts", mtimeMs, size]] }));
      process.stderr.write("building\\n");
    }`);
  return {
    build,
    source: (text: string, at: Date) => {
      file("source.ts", text);
      utimesSync(join(root, "source.ts"), at, at);
    },
    compiled: () => {
      const folder = join(root, "dist/cli/compiled");
      return existsSync(folder) ? readdirSync(folder) : [];
    },
    call: async (...args: string[]) => {
      const { stdout, stderr } = await execute(process.execPath, [join(root, "cli/ganglion.mjs"), ...args]);
      return [stdout, stderr];
    },
  };
}

describe("the build of the command", () => {
  it("records the files of this clone that the command is made of, and a command that runs", async () => {
    const folder = temporaryDirectory();
    const [file, record] = [join(folder, "ganglion.cjs"), join(folder, "ganglion.json")];
    await buildOwnCommand(file, record);
    const { files } = JSON.parse(readFileSync(record, "utf8"));
    const names = files.map(([name]: [string]) => name);
    expect(names).toEqual(expect.arrayContaining(["package-lock.json", "cli/main.ts", "src/client/client.ts"]));
    const { main } = createRequire(file)(file);
    expect(main).toBeTypeOf("function");
  });
});

describe("the launcher of the command", () => {
  it("builds at the first call, and again after a change of a source", async () => {
    const { source, call, compiled } = clone();
    source("one", new Date(2026, 1, 1));
    expect(await call("a", "b")).toEqual(["one a b\n", "building\n"]);
    expect(await call("a", "b")).toEqual(["one a b\n", ""]);
    expect(compiled()).toEqual([`hash-of-one-a-${process.version}-${process.arch}`]);
    // As long, and changed by a second: V8 would take what it compiled of the text before.
    source("two", new Date(2026, 1, 1, 0, 0, 1));
    expect(await call()).toEqual(["two\n", "building\n"]);
    expect(compiled()).toEqual([`hash-of-two-any-${process.version}-${process.arch}`]);
  });

  it("runs the sources where the build has no tools, and says why it does where the build fails", async () => {
    const { build, call } = clone();
    build('import "a-package-that-is-not-installed"; export const buildOwnCommand = () => undefined;');
    expect(await call("x")).toEqual(["from sources x\n", ""]);
    build('export const buildOwnCommand = () => { throw new Error("no such thing"); };');
    expect(await call("x")).toEqual([
      "from sources x\n",
      "ganglion: the command does not build, and runs from its sources: no such thing\n",
    ]);
  });
});
