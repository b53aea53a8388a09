import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../base/locations.ts";
import { ExpectedError } from "../base/service.ts";
import type { Problem } from "./problems.ts";

/** Name of the systemd credential, see LoadCredential= in systemd.exec(5). */
export const TOKEN_CREDENTIAL = "ganglion-token";

/** HTTP header values hold visible ASCII: anything else would fail at every connection, far from its cause. */
const SENDABLE_TOKEN = /^[\x21-\x7e]{1,4096}$/;

export interface TokenSource {
  /** Reads it anew, so that a token that was replaced is picked up. Throws {@link ExpectedError} where there is none. */
  readonly read: () => string;
  /** `undefined`: it stands in the environment, and cannot be replaced while the agent runs. */
  readonly file: string | undefined;
}

/**
 * From the environment, the file that the settings name, systemd's credential, or the state directory; in this order.
 *
 * @param otherwise - the file to name where there is none in the state directory
 */
export function tokenSource(
  env: Environment,
  tokenFile: string | undefined,
  stateDir: string,
  otherwise?: string,
): TokenSource {
  const given = env.GANGLION_TOKEN || undefined;
  if (given !== undefined) return { read: () => checked(given, "GANGLION_TOKEN"), file: undefined };
  const credential = env.CREDENTIALS_DIRECTORY && join(env.CREDENTIALS_DIRECTORY, TOKEN_CREDENTIAL);
  const kept = join(stateDir, "token");
  const file =
    tokenFile ??
    (credential && existsSync(credential) ? credential : otherwise && !existsSync(kept) ? otherwise : kept);
  return { read: () => checked(readTokenFile(file), `the file ${file}`), file };
}

/** A token that others on this machine can read is theirs, too. */
export function tokenWarnings({ file }: TokenSource): Problem[] {
  const status = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
  if (status === undefined || (status.mode & 0o004) === 0) return [];
  return [
    {
      severity: "warning",
      where: "edge.token_file",
      message: `everybody on this machine can read ${file}: run chmod 600 ${file}`,
    },
  ];
}

function checked(text: string, where: string): string {
  const token = text.trim();
  if (SENDABLE_TOKEN.test(token)) return token;
  throw new ExpectedError(`${where} does not hold a token: one line of visible ASCII characters without blanks`);
}

function readTokenFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ExpectedError(
      code === "ENOENT"
        ? `set it, or put the token into ${file} (the edge of this machine writes it into its state directory when it starts)`
        : `the file ${file} cannot be read (${code}): make it readable for this user, or set the variable`,
    );
  }
}
