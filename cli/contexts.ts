import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import * as z from "zod";
import { nearest } from "../src/core/problem/nearest.ts";
import { UsageError } from "./failure.ts";

/** An edge that a person works with, under a name of the person's own. The token itself stands in a file of its own. */
export const Context = z.strictObject({
  url: z.string(),
  token_file: z.string().optional(),
  ecosystem: z.string().optional(),
});
export type Context = z.infer<typeof Context>;

const Contexts = z.strictObject({
  /** The one in use. */
  current: z.string().nullable(),
  contexts: z.record(z.string(), Context),
});
export type Contexts = z.infer<typeof Contexts>;

type Environment = Readonly<Record<string, string | undefined>>;

/** @see https://specifications.freedesktop.org/basedir-spec/latest/ : a relative path counts as unset */
export function contextsFile({ XDG_CONFIG_HOME: given, HOME: home }: Environment): string {
  return join(given?.startsWith("/") ? given : join(home || homedir(), ".config"), "ganglion", "contexts.json");
}

export function readContexts(environment: Environment): Contexts {
  const file = contextsFile(environment);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return { current: null, contexts: {} };
    throw new UsageError(`cannot read the contexts in ${file} (${code})`);
  }
  const read = Contexts.safeParse(parsed(text));
  if (!read.success)
    throw new UsageError(
      `${file} does not hold contexts: repair it, or delete it and add them with "ganglion context add"`,
    );
  return read.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whoever can change the file decides to which edge a token is sent: it is private. */
export function writeContexts(environment: Environment, contexts: Contexts): void {
  const file = contextsFile(environment);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(contexts, null, 2)}\n`, { mode: 0o600 });
  chmodSync(temporary, 0o600);
  renameSync(temporary, file);
}

/** @throws UsageError where others can read the file: a token in it is theirs, too */
export function requirePrivate(file: string): void {
  if (process.platform === "win32") return;
  let mode: number;
  try {
    ({ mode } = statSync(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === "ENOENT" || code === "ENOTDIR"
        ? `token file ${file} does not exist`
        : `cannot read the token file ${file} (${code})`,
    );
  }
  if ((mode & 0o077) !== 0) {
    const bits = (mode & 0o777).toString(8).padStart(4, "0");
    throw new UsageError(`others can use the token file ${file} (its mode is ${bits}): run "chmod 600 ${file}"`);
  }
}

/** @throws UsageError with the name that is probably meant */
export function contextNamed(name: string, { contexts }: Contexts): Context {
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(contexts);
  const meant = nearest(name, names);
  const hint =
    names.length === 0
      ? 'there are none; add one with "ganglion context add"'
      : meant === undefined
        ? `there are ${names.join(", ")}`
        : `did you mean "${meant}"?`;
  throw new UsageError(`no context is called "${name}": ${hint}`);
}
