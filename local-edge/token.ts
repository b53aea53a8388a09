import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { edgeFiles } from "./paths.ts";

/** Shortest token that is taken from a file, in characters: less is more likely a mistake than a secret. */
const MIN_LENGTH = 16;

export interface TokenFile {
  readonly path: string;
  readonly token: string;
  /** Set when others could read the file until now. */
  readonly warning?: string;
}

/**
 * The administrator's token of the embedded edge: made once, kept in `<state>/token`, readable by its owner alone.
 *
 * Two processes that start together get the same token: the file appears whole under its name, by a link that fails
 * when the name is there already, and the process that loses reads the token of the other.
 *
 * @param stateDir - exists already
 */
export function administratorToken(stateDir: string): TokenFile {
  const path = edgeFiles(stateDir).token;
  return readToken(path) ?? readToken(createToken(stateDir, path)) ?? fail(path, "vanished while it was being read");
}

function createToken(stateDir: string, path: string): string {
  const temporary = join(stateDir, `.token.${process.pid}.${randomBytes(4).toString("hex")}`);
  const file = openSync(temporary, "wx", 0o600);
  try {
    writeSync(file, `gng_admin_${randomBytes(32).toString("base64url")}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    unlinkSync(temporary);
  }
  return path;
}

function readToken(path: string): TokenFile | undefined {
  let mode: number;
  let owner: number;
  try {
    ({ mode, uid: owner } = statSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const self = process.getuid?.();
  // The owner of the file can read the token and replace it: with another owner it is not our administrator's token.
  if (self !== undefined && owner !== self && owner !== 0) fail(path, "belongs to another user");
  const open = process.platform !== "win32" && (mode & 0o077) !== 0;
  if (open) chmodSync(path, 0o600);
  const token = readFileSync(path, "utf8").trim();
  if (token.length < MIN_LENGTH) fail(path, `holds fewer than ${MIN_LENGTH} characters`);
  // It goes into a header: a control character or a space inside would make every request fail without saying why.
  if (!/^[\x21-\x7e]+$/.test(token)) fail(path, "holds characters that cannot stand in a header");
  if (!open) return { path, token };
  return {
    path,
    token,
    warning: `Other users could read ${path} (mode ${(mode & 0o777).toString(8)}); its mode is 600 now. If others use this machine, delete the file and start again: the start creates a new token.`,
  };
}

function fail(path: string, what: string): never {
  throw new Error(
    `The administrator's token ${path} ${what}. Delete the file and start again: the start creates a new token.`,
  );
}
