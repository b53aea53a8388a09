import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { createLog } from "../../../local-agent/base/log.ts";
import { eventually } from "../../harness/eventually.ts";
import { startEdge } from "../../unit/cli/fake-edge.ts";
import { commandEnvironment } from "../../unit/cli/ganglion.ts";

const path = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
const GANGLION = path("cli/ganglion.mjs");

function run(script: string, args: readonly string[], stdout: "pipe" | number) {
  const child = spawn(process.execPath, [script, ...args], {
    env: commandEnvironment(),
    stdio: ["pipe", stdout, "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let err = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    err += chunk;
  });
  const ended = new Promise<{ code: number | null; err: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, err })),
  );
  return { child, ended };
}

describe("ganglion emit - on a pipe that stays open", () => {
  it("emits what has come after a moment of quiet, and goes on with what comes then", async () => {
    const answer = { first_seq: 1, last_seq: 1, ids: ["s1"], accepted: 1, duplicates: 0 };
    const edge = await startEdge(() => [202, answer]);
    const { child, ended } = run(GANGLION, ["emit", "-", "--url", edge.url], "pipe");
    for (const n of [1, 2]) {
      child.stdin?.write(`${JSON.stringify({ signal: "Q_TAIL", source: "s", facts: { n } })}\n`);
      await eventually(() => expect(edge.received).toHaveLength(n));
    }
    child.stdin?.end();
    expect(await ended).toEqual({ code: 0, err: "" });
  });
});

describe("a command whose output cannot be written", () => {
  it.each([
    ["ganglion", GANGLION, ["--help"]],
    ["ganglion-agent", path("local-agent/main.ts"), ["--help"]],
    ["ganglion-agent check", path("local-agent/main.ts"), ["check"]],
  ])("says so without a stack trace, and fails: %s", async (_, script, args) => {
    const { ended } = run(script, args, openSync("/dev/full", "w"));
    const { code, err } = await ended;
    expect(code).toBe(1);
    expect(err).toMatch(/^ganglion(-agent)?: the output cannot be written: ENOSPC: no space left on device, write\n$/);
  });
});

describe("the agent's log", () => {
  it.each(["text", "json"] as const)(
    "loses lines that a full disk refuses, and ends no program: %s",
    async (format) => {
      const script = `
      import { createLog } from ${JSON.stringify(path("local-agent/base/log.ts"))};
      const log = createLog({ format: "${format}", level: "info" });
      for (let n = 0; n < 3; n++) log.info("lost");
      console.log("goes on");`;
      const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
        stdio: ["ignore", "pipe", openSync("/dev/full", "w")],
      });
      let out = "";
      child.stdout?.on("data", (chunk: Buffer) => {
        out += chunk;
      });
      const code = await new Promise((resolve) => child.once("close", resolve));
      expect([code, out]).toEqual([0, "goes on\n"]);
      expect(createLog({ format, level: "silent" })).toBeDefined();
    },
  );
});
