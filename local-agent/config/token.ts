import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../base/locations.ts";
import { ExpectedError } from "../base/service.ts";
import type { Problem } from "./problems.ts";

/** Name of the systemd credential, see LoadCredential= in systemd.exec(5). */
export const TOKEN_CREDENTIAL = "ganglion-token";

/** HTTP header values hold visible ASCII. Other characters would only fail later, at every connection. */
const SENDABLE_TOKEN = /^[\x21-\x7e]{1,4096}$/;

export interface TokenSource {
  /** Reads the token again each time, so that a replaced one takes effect. Throws {@link ExpectedError} when there is none. */
  readonly read: () => string;
  /** `undefined`: the token is in the environment and cannot be replaced while the agent runs. */
  readonly file: string | undefined;
}

/**
 * Finds the token in the environment, the file of the settings, systemd's credential, or the state directory, in this
 * order.
 *
 * @param fallback - the file to use when the state directory has none
 */
export function tokenSource(
  env: Environment,
  tokenFile: string | undefined,
  stateDir: string,
  fallback?: string,
): TokenSource {
  const given = env.GANGLION_TOKEN || undefined;
  if (given !== undefined) return { read: () => checked(given, "GANGLION_TOKEN"), file: undefined };
  const credential = env.CREDENTIALS_DIRECTORY && join(env.CREDENTIALS_DIRECTORY, TOKEN_CREDENTIAL);
  const kept = join(stateDir, "token");
  const file =
    tokenFile ?? (credential && existsSync(credential) ? credential : fallback && !existsSync(kept) ? fallback : kept);
  return { read: () => checked(readTokenFile(file), `the file ${file}`), file };
}

/** Other users of this machine can use a token that they can read. */
export function tokenWarnings({ file }: TokenSource): Problem[] {
  const status = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
  if (status === undefined || (status.mode & 0o004) === 0) return [];
  return [
    {
      severity: "warning",
      where: "edge.token_file",
      message: `any user of this machine can read ${file}: run chmod 600 ${file}`,
    },
  ];
}

function checked(text: string, where: string): string {
  const token = text.trim();
  if (SENDABLE_TOKEN.test(token)) return token;
  throw new ExpectedError(`${where} holds no valid token: give one line of visible ASCII characters without blanks`);
}

function readTokenFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ExpectedError(
      code === "ENOENT"
        ? `set it, or put the token into ${file} (an edge on this machine writes it into its state directory at its start)`
        : `the file ${file} cannot be read (${code}): make it readable for this user, or set the variable`,
    );
  }
}
