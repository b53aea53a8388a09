import { spawnSync } from "node:child_process";

/** Debian's Python, for which .ci/run installs packages; another one on the path may not have them. */
export function pythonWith(...modules: readonly string[]): string | undefined {
  const wanted = modules.map((module) => `import ${module}`).join("; ");
  return ["/usr/bin/python3", "python3"].find((command) => spawnSync(command, ["-c", wanted]).status === 0);
}
