import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ExpectedError } from "../service.ts";

const execute = promisify(execFile);
/** Longer than systemd itself waits for a start. */
const COMMAND_MS = 330_000;

/** One step of an installation. */
export type Step =
  | { readonly kind: "write"; readonly path: string; readonly text: string; readonly mode: number }
  /** Written unless the file exists. */
  | { readonly kind: "keep"; readonly path: string; readonly text: string; readonly mode: number }
  | { readonly kind: "run"; readonly command: readonly string[] }
  | { readonly kind: "say"; readonly text: string };

/** How a service is taken away again. */
export interface Removal {
  readonly disable: readonly string[];
  /** Files; the unit first. */
  readonly remove: readonly string[];
  readonly reload: readonly string[] | undefined;
  /** What stays, for people. */
  readonly kept: string;
}

/** Takes the steps one by one and prints each, or only prints them. */
export async function takeSteps(steps: readonly Step[], dryRun: boolean): Promise<void> {
  for (const step of steps) {
    if (dryRun) console.log(described(step));
    else await take(step);
  }
}

/** Where a service stands, and what its installation has written. */
export interface Installed {
  /** The file of the unit, and others beside it. */
  readonly files: readonly string[];
  readonly unitName: string;
  readonly systemctl: readonly string[];
  /** The image or tree into which the service was installed; `undefined`: this machine. */
  readonly root: string | undefined;
  readonly kept: string;
}

/** How a service is switched off and its files are removed. */
export function removalOf({ files, unitName, systemctl, root, kept }: Installed): Removal {
  return {
    disable:
      root === undefined
        ? [...systemctl, "disable", "--now", unitName]
        : ["systemctl", `--root=${root}`, "disable", unitName],
    remove: files.map((path) => (root === undefined ? path : join(root, path))),
    reload: root === undefined ? [...systemctl, "daemon-reload"] : undefined,
    kept,
  };
}

/** Stops and removes a service, or only prints what that would be. */
export async function takeAway({ disable, remove, reload, kept }: Removal, dryRun: boolean): Promise<void> {
  if (dryRun) {
    for (const line of [disable.join(" "), ...remove.map((path) => `remove ${path}`)]) console.log(line);
    return;
  }
  const there = await Promise.all(remove.map((path) => exists(path)));
  if (there[0]) await call(disable);
  for (const path of remove) await rm(path, { force: true });
  if (reload !== undefined) await call(reload);
  console.log(there[0] ? `Removed the service. ${kept} stay.` : "The service is not installed.");
}

/** First number of `systemctl --version`, such as 252. */
export async function systemdVersion(): Promise<number> {
  return Number(/^systemd (\d+)/.exec((await call(["systemctl", "--version"])).stdout)?.[1] ?? 0);
}

export function isSame(path: string, text: string): boolean {
  try {
    return readFileSync(path, "utf8") === text;
  } catch {
    return false;
  }
}

/** @throws ExpectedError when only root can read `path` */
export function requireReadable(path: string, remedy: string): void {
  for (let at = path; at !== "/"; at = dirname(at)) {
    const { mode } = statSync(at);
    const needed = at === path ? 0o004 : 0o001;
    if ((mode & needed) === 0)
      throw new ExpectedError(`The user of the service cannot read ${path} (${at} is closed to others): ${remedy}`);
  }
}

/** @param foreground - the command that needs no systemd */
export function requireSystem({ user }: { readonly user?: true }, foreground: string): void {
  if (!existsSync("/run/systemd/system"))
    throw new ExpectedError(
      `systemd does not run on this machine; nothing was changed. ${foreground}, or install into an image with --root`,
    );
  if (user) return;
  if (process.getuid?.() !== 0)
    throw new ExpectedError("A system service needs root: use sudo, or --user for a service of your own user");
}

async function take(step: Step): Promise<void> {
  switch (step.kind) {
    case "keep":
      if (await exists(step.path)) return console.log(`${step.path} exists: unchanged`);
      return write(step.path, step.text, step.mode);
    case "write":
      return write(step.path, step.text, step.mode);
    case "run":
      await call(step.command);
      return console.log(step.command.join(" "));
    case "say":
      return console.log(step.text);
  }
}

/** Writes to a new file and renames it: a crash must not leave half a unit. */
async function write(path: string, text: string, mode: number): Promise<void> {
  if (isSame(path, text)) return console.log(`${path} is up to date`);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(`${path}.new`, text, { mode });
  await rename(`${path}.new`, path);
  console.log(`wrote ${path}`);
}

function described(step: Step): string {
  if (step.kind === "run") return `# run: ${step.command.join(" ")}`;
  if (step.kind === "say") return `# ${step.text}`;
  return `# ${step.kind === "keep" ? "write unless it exists" : "write"}: ${step.path}\n${step.text}`;
}

async function call([name = "", ...args]: readonly string[]): Promise<{ stdout: string }> {
  try {
    return await execute(name, args, { timeout: COMMAND_MS });
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === "ENOENT") throw new ExpectedError(`${name} not found: the service needs systemd`);
    throw new ExpectedError(`${[name, ...args].join(" ")} failed: ${(stderr || message).trim()}`);
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
