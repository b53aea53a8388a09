import type { Environment } from "../locations.ts";
import { isOwnSecret } from "./clean-environment.ts";

const PR_SET_DUMPABLE = 4;

export interface Hidden {
  /** The environment as it was, for this process alone. */
  readonly environment: Environment;
  /** Why other processes of this user may still read secrets of this one; `undefined`: they cannot. */
  readonly problem: string | undefined;
}

/**
 * Hides this process's secrets from the commands that it runs, which have the same user. They do not get the secrets in
 * their environment, but the kernel shows the environment with which this process began in /proc/<pid>/environ, and its
 * memory in /proc/<pid>/mem. So the values are overwritten where the kernel reads them, and the process is marked as one
 * whose memory and environment only root may read.
 *
 * Not hidden: what a command can read by itself, such as a token file that belongs to its user, and anything from root.
 *
 * Call this first: a variable that was set again lies elsewhere.
 */
export async function hideSecrets(): Promise<Hidden> {
  const environment = { ...process.env };
  const names = Object.keys(environment).filter((name) => isOwnSecret(name) && environment[name] !== "");
  let problem: string | undefined;
  try {
    const { default: koffi } = await import("koffi");
    const libc = koffi.load("libc.so.6");
    const getenv = libc.func("void *getenv(const char *name)");
    const memset = libc.func("void *memset(void *at, int byte, size_t count)");
    const prctl = libc.func(
      "int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)",
    );
    for (const name of names) {
      const value = getenv(name) as unknown;
      if (value) memset(value, 0, Buffer.byteLength(environment[name] ?? ""));
    }
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) !== 0) problem = `the kernel refused it (errno ${koffi.errno()})`;
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  for (const name of names) delete process.env[name];
  return { environment, problem };
}
