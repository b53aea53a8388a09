import { spawn } from "node:child_process";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../local-edge/paths.ts";

/** A tool of node_modules/.bin that passes by exit code 0. */
export interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

/** Runs a step, prints whether it passed and how long it took, and its output where it failed. */
export async function runStep({ name, command }: Step): Promise<boolean> {
  const startedAt = performance.now();
  const { ok, output } = await runTool(command, "quiet");
  console.log(`${ok ? "ok  " : "FAIL"}  ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  if (!ok) console.log(output.trimEnd());
  return ok;
}

export function runTool(
  [command = "", ...args]: readonly string[],
  output: "quiet" | "shown",
): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(PROJECT_ROOT, "node_modules", ".bin", command), args, {
      cwd: PROJECT_ROOT,
      stdio: output === "shown" ? "inherit" : ["ignore", "pipe", "pipe"],
      env: testEnvironment(),
    });
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ ok: code === 0, output: text }));
    process.once("exit", () => child.kill());
  });
}

/** The environment of tests: settings of the person who starts them, such as the address of a real edge, stay outside. */
function testEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(GANGLION_|KLR_CHEM_|INIT_CWD$)/.test(name));
  return { ...Object.fromEntries(own), WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };
}
