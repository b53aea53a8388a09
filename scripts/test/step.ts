import { spawn } from "node:child_process";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../local-edge/paths.ts";

/** A tool of node_modules/.bin that passes by exit code 0. */
export interface Step {
  readonly name: string;
  readonly command: readonly string[];
  /** Added to the environment of the tool. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a step, prints whether it passed and how long it took, and its output where it failed. */
export async function runStep({ name, command, env }: Step): Promise<boolean> {
  const startedAt = performance.now();
  const { ok, output } = await runTool(command, "quiet", env);
  console.log(`${ok ? "ok  " : "FAIL"}  ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  if (!ok) console.log(output.trimEnd());
  return ok;
}

export function runTool(
  [command = "", ...args]: readonly string[],
  output: "quiet" | "shown",
  env: Readonly<Record<string, string>> = {},
): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(PROJECT_ROOT, "node_modules", ".bin", command), args, {
      cwd: PROJECT_ROOT,
      stdio: output === "shown" ? "inherit" : ["ignore", "pipe", "pipe"],
      env: { ...testEnvironment(), ...env },
      // Most tools are a script that runs a binary: as a process group both of them can be ended.
      detached: output === "quiet",
    });
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ ok: code === 0, output: text }));
    const end = () => (output === "quiet" ? endGroup(child.pid) : child.kill());
    process.once("exit", end);
    child.once("close", () => process.off("exit", end));
  });
}

function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGTERM");
  } catch (error) {
    // The whole group has ended.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The environment of tests: settings of the person who starts them, such as the address of a real edge, stay outside. */
function testEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(GANGLION_|KLR_CHEM_|INIT_CWD$)/.test(name));
  return { ...Object.fromEntries(own), WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };
}
