import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { Command } from "commander";
import { ExpectedError } from "../base/service.ts";
import { type InstallOptions, installPlan, isSame, type Step, uninstallPlan, versionIn } from "./plan.ts";

const execute = promisify(execFile);
/** Longer than systemd itself waits for a start. */
const COMMAND_MS = 330_000;

/** `ganglion-agent install` and `ganglion-agent uninstall`. Both may be repeated. */
export function serviceCommands(): Command[] {
  const install = new Command("install")
    .description("install the agent as a systemd service and start it")
    .option("--user", "install a service of your own user, without root")
    .option("--config <file>", "file of settings (default: /etc/ganglion/agent.yaml, or your own with --user)")
    .option("--run-as <user>", "user that runs the service; the user ganglion is created when missing", "ganglion")
    .option("--memory-max <size>", "memory limit of the agent and its child processes, such as 512M or 75%", "512M")
    .option("--cpu-quota <percent>", "share of one processor, such as 100%", "100%")
    .option("--writable <directory>", "directory that reactions and agents may write to; may be repeated", collect, [])
    .option("--root <directory>", "install into an image that is being built")
    .option("--dry-run", "print the steps without taking them")
    .action((options: Omit<InstallOptions, "systemdVersion"> & { dryRun?: true }) => runInstall(options));
  const uninstall = new Command("uninstall")
    .description("stop and remove the service; settings and state stay")
    .option("--user", "remove the service of your own user")
    .option("--root <directory>", "remove it from an image that is being built")
    .option("--dry-run", "print the steps without taking them")
    .action((options: { user?: true; root?: string; dryRun?: true }) => runUninstall(options));
  return [install, uninstall];
}

function collect(value: string, before: string[]): string[] {
  if (!value.startsWith("/")) throw new ExpectedError(`--writable ${value}: give an absolute path`);
  return [...before, value];
}

async function runInstall(options: Omit<InstallOptions, "systemdVersion"> & { dryRun?: true }): Promise<void> {
  const systemdVersion = versionIn((await call(["systemctl", "--version"])).stdout);
  if (options.root === undefined && !options.dryRun) requireSystem(options);
  for (const step of installPlan({ ...options, systemdVersion }, process.env)) {
    if (options.dryRun) console.log(described(step));
    else await take(step);
  }
}

async function runUninstall(options: { user?: true; root?: string; dryRun?: true }): Promise<void> {
  if (options.root === undefined && !options.dryRun) requireSystem(options);
  const { disable, remove, reload, kept } = uninstallPlan(options, process.env);
  if (options.dryRun) {
    for (const line of [disable.join(" "), ...remove.map((path) => `remove ${path}`)]) console.log(line);
    return;
  }
  const there = await Promise.all(remove.map((path) => exists(path)));
  if (there[0]) await call(disable);
  for (const path of remove) await rm(path, { force: true });
  if (reload !== undefined) await call(reload);
  console.log(there[0] ? `Removed the service. ${kept} stay.` : "The service is not installed.");
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

function requireSystem({ user }: { readonly user?: true }): void {
  if (!existsSync("/run/systemd/system"))
    throw new ExpectedError(
      "systemd does not run on this machine; nothing was changed. Run the agent in the foreground (ganglion-agent run), or install into an image with --root",
    );
  if (user) return;
  if (process.getuid?.() !== 0)
    throw new ExpectedError("A system service needs root: use sudo, or --user for a service of your own user");
}
