import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { RunningProcess } from "../../harness/running-process.ts";

/** Stands for npm: keeps what it was asked, and does what `behaviour` says. */
const npm = (behaviour: string) => `
  const fs = require("node:fs");
  fs.appendFileSync("npm.log", process.argv.slice(2).join(" ") + "\\n");
  ${behaviour}
`;
const INSTALLS = `fs.mkdirSync("node_modules", { recursive: true });`;

/** A clone of a project with one dependency, and a script that says what it was given. */
function clone(behaviour = INSTALLS) {
  const root = temporaryDirectory();
  mkdirSync(join(root, "scripts"));
  copyFileSync(join(PROJECT_ROOT, "scripts/bootstrap.mjs"), join(root, "scripts/bootstrap.mjs"));
  const lock = (version: string) =>
    writeFileSync(
      join(root, "package-lock.json"),
      JSON.stringify({
        packages: {
          "": { name: "cloned" },
          "node_modules/one": { version },
          "node_modules/other-platform": { version: "1.0.0", optional: true },
        },
      }),
    );
  lock("1.0.0");
  writeFileSync(join(root, "npm-cli.js"), npm(behaviour));
  writeFileSync(
    join(root, "scripts/script.mjs"),
    `console.log("ran with", process.argv.slice(2).join(" ")); process.exit(Number(process.argv[2] ?? 0))`,
  );
  return {
    root,
    lock,
    installations: () => {
      try {
        return readFileSync(join(root, "npm.log"), "utf8").trim().split("\n");
      } catch {
        return [];
      }
    },
    run: async (...args: string[]) => {
      const started = new RunningProcess([join(root, "scripts/bootstrap.mjs"), "scripts/script.mjs", ...args], {
        cwd: root,
        env: { npm_execpath: join(root, "npm-cli.js") },
      });
      const code = await started.ended;
      return { code, said: started.lines.join("\n") };
    },
  };
}

describe("starting from a bare clone", () => {
  it("installs nothing where it runs inside of an installation", async () => {
    const { root, installations } = clone();
    const script = ["--no-install", "scripts/script.mjs", "0", "given"];
    const started = new RunningProcess([join(root, "scripts/bootstrap.mjs"), ...script], { cwd: root });
    expect([await started.ended, started.lines]).toEqual([0, ["ran with 0 given"]]);
    expect(installations()).toEqual([]);
  });

  it("installs once, without running the scripts of packages, and passes arguments on", async () => {
    const project = clone();
    const { code, said } = await project.run("0", "--edge-only");
    expect(said).toMatch(/Installing .*\nInstalled in [\d.]+ s\.\nran with 0 --edge-only/s);
    expect(code).toBe(0);
    expect(await project.run("0")).toEqual({ code: 0, said: "ran with 0" });
    expect(project.installations()).toEqual([expect.stringMatching(/^ci --ignore-scripts/)]);
  });

  it("installs again when the lock file has changed", async () => {
    const project = clone();
    await project.run();
    project.lock("1.0.1");
    await project.run();
    expect(project.installations()).toHaveLength(2);
  });

  it("takes what somebody installed by hand", async () => {
    const project = clone();
    mkdirSync(join(project.root, "node_modules"));
    const installed = { packages: { "node_modules/one": { version: "1.0.0" } } };
    writeFileSync(join(project.root, "node_modules/.package-lock.json"), JSON.stringify(installed));
    expect((await project.run()).said).toBe("ran with ");
    expect(project.installations()).toEqual([]);
  });

  it("does not take an installation of another state of the lock file", async () => {
    const project = clone();
    mkdirSync(join(project.root, "node_modules"));
    const installed = { packages: { "node_modules/one": { version: "0.9.0" } } };
    writeFileSync(join(project.root, "node_modules/.package-lock.json"), JSON.stringify(installed));
    await project.run();
    expect(project.installations()).toHaveLength(1);
  });

  it("shows what npm said when the installation fails, and tries again next time", async () => {
    const project = clone(`console.error("npm error network unreachable"); process.exit(7);`);
    const { code, said } = await project.run();
    expect(code).toBe(1);
    expect(said).toContain("npm error network unreachable");
    expect(said).toContain("The installation failed");
    expect(said).not.toContain("ran with");
    await project.run();
    expect(project.installations()).toHaveLength(2);
  });

  it("ends as the script ended", async () => {
    const project = clone();
    expect((await project.run("42")).code).toBe(42);
  });

  it("hands a signal on once for each press", async () => {
    const project = clone();
    writeFileSync(
      join(project.root, "scripts/script.mjs"),
      `for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => { console.log("asked"); setTimeout(() => process.exit(3), 200); });
      setInterval(() => {}, 1000); console.log("up");`,
    );
    const started = new RunningProcess([join(project.root, "scripts/bootstrap.mjs"), "scripts/script.mjs"], {
      cwd: project.root,
      env: { npm_execpath: join(project.root, "npm-cli.js") },
    });
    await started.line(/^up$/);
    // One press: as a terminal, and npm, which passes on what it gets.
    started.signal("SIGINT");
    started.signal("SIGTERM");
    expect(await started.ended).toBe(3);
    expect(started.lines.filter((line) => line === "asked")).toHaveLength(1);
  });
});
