import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { runAgent } from "../../harness/running-agent.ts";

const MODULE = fileURLToPath(new URL("../../../local-agent/base/process/hide-secrets.ts", import.meta.url));

/** A process with secrets, before and after it has hidden them. It says what it still knows, then waits. */
function secretive(hides: boolean, user: object = {}) {
  const script = `
    import { hideSecrets } from ${JSON.stringify(MODULE)};
    const { environment, problem } = ${hides} ? await hideSecrets() : { environment: process.env };
    console.log(JSON.stringify([environment.GANGLION_TOKEN, process.env.GANGLION_TOKEN ?? null, problem ?? null]));
    setInterval(() => {}, 60_000);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    env: { PATH: process.env.PATH, GANGLION_TOKEN: "gng_secret", ADMIN_TOKEN: "admin_secret", MODEL_API_KEY: "theirs" },
    stdio: ["ignore", "pipe", "inherit"],
    ...user,
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const said = new Promise<string>((resolve) => createInterface({ input: child.stdout }).once("line", resolve));
  return { pid: child.pid ?? 0, said };
}

const environmentOf = (pid: number) => readFileSync(`/proc/${pid}/environ`, "latin1");

describe("an agent that hides its secrets", () => {
  it("still knows them, and shows none of them in its environment under /proc", async () => {
    const open = secretive(false);
    await open.said;
    expect(environmentOf(open.pid)).toContain("gng_secret");
    const { pid, said } = secretive(true);
    expect(JSON.parse(await said)).toEqual(["gng_secret", null, null]);
    // As root even a closed process can be read; any other user cannot read this one at all.
    const shown = process.getuid?.() === 0 ? environmentOf(pid) : "MODEL_API_KEY=theirs";
    expect(shown).not.toContain("secret");
    expect(shown).toContain("MODEL_API_KEY=theirs");
  });

  it("is the agent as it runs: its environment under /proc holds no token", async () => {
    const edge = { url: "http://127.0.0.1:1", token: `gng_${"k".repeat(30)}` };
    const { process: running } = await runAgent(edge, { sources: [] });
    const shown = environmentOf(running.pid);
    expect(shown).toContain("GANGLION_HOST_ID=host-a");
    expect(shown).not.toContain(edge.token);
  });

  it("cannot be read by other processes of its user", async () => {
    // Root can read every process: where the tests run as root, both processes belong to another user.
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const read = async (pid: number) => {
      const reader = spawn("/bin/cat", [`/proc/${pid}/environ`], { stdio: "ignore", ...user });
      return new Promise<number | null>((resolve) => reader.once("close", resolve));
    };
    const open = secretive(false, user);
    await open.said;
    expect(await read(open.pid)).toBe(0);
    const { pid, said } = secretive(true, user);
    await said;
    expect(await read(pid)).toBe(1);
  });
});
