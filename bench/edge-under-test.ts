import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** An embedded edge in processes of its own, with a state directory that is thrown away. */
export interface EdgeUnderTest {
  readonly url: string;
  readonly token: string;
  stop(): Promise<void>;
}

/** @param env - further variables of the edge */
export async function startEdgeUnderTest(env: Readonly<Record<string, string>> = {}): Promise<EdgeUnderTest> {
  const stateDir = mkdtempSync(join(tmpdir(), "ganglion-bench-"));
  const main = join(import.meta.dirname, "../local-edge/main.ts");
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, ...env, GANGLION_PORT: "0", GANGLION_STATE_DIR: stateDir },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("ready ")) resolve(line.slice(6));
    });
    child.once("exit", (code) => reject(new Error(`the edge ended with ${code} before it was ready`)));
  });
  return {
    url,
    token: readFileSync(join(stateDir, "token"), "utf8").trim(),
    stop: async () => {
      child.kill("SIGTERM");
      await gone;
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}
