import { join, resolve } from "node:path";

/** The project's root: what the package manager calls the package directory. */
export const PROJECT_ROOT = resolve(import.meta.dirname, "..");

/** State of edge and agent on this machine: `GANGLION_STATE_DIR`, default `.ganglion` in the project. */
export function stateDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const named = env.GANGLION_STATE_DIR;
  // A relative name is relative to where the command was typed: npm changes to the project's root before it runs a script.
  return named ? resolve(env.INIT_CWD ?? process.cwd(), named) : join(PROJECT_ROOT, ".ganglion");
}

/** What the edge keeps in the state directory beside the token. */
export function edgeFiles(stateDir: string) {
  return {
    /** Storage of the Durable Objects. */
    storage: join(stateDir, "edge"),
    /** Held, as a lock of the kernel, for as long as an edge runs on this directory. */
    lock: join(stateDir, "edge.lock"),
    /** Process id of the runtime, for the next start to find what a killed one left behind. */
    runtimePid: join(stateDir, "runtime.pid"),
    /** `{url, pid}` of the edge that runs on this directory. */
    running: join(stateDir, "edge.json"),
    /** What was found out about a runtime that did not answer, before it was killed. */
    hangs: join(stateDir, "hangs"),
    /** How the runtime is configured, for its owner alone: the administrator's token is in there. */
    runtime: join(stateDir, "runtime"),
    token: join(stateDir, "token"),
  };
}
