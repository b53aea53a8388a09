import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { Command } from "commander";
import { ExpectedError } from "../base/service.ts";
import { type InstallOptions, installPlan, isSame, type Step, uninstallPlan, versionIn } from "./plan.ts";

const execute = promisify(execFile);
/** A start is waited for: longer than systemd itself does. */
const COMMAND_MS = 330_000;

/** `ganglion-agent install` and `ganglion-agent uninstall`. Both may be repeated. */
export function serviceCommands(): Command[] {
  const install = new Command("install")
    .description("make the agent a systemd service, and start it")
    .option("--user", "a service of your own, without root")
    .option("--config <file>", "the settings (default: /etc/ganglion/agent.yaml, or yours with --user)")
    .option("--run-as <user>", "who runs it; ganglion is made where it is not there", "ganglion")
    .option("--memory-max <size>", "of the agent and all that it starts, such as 512M or 75%", "512M")
    .option("--cpu-quota <percent>", "of one processor, such as 100%", "100%")
    .option("--writable <directory>", "that reactions and agents may write to; may be repeated", collect, [])
    .option("--root <directory>", "install into an image that is being built")
    .option("--dry-run", "say what would be done, and do nothing")
    .action((options: Omit<InstallOptions, "systemdVersion"> & { dryRun?: true }) => runInstall(options));
  const uninstall = new Command("uninstall")
    .description("stop the service and take it away; settings and state stay")
    .option("--user", "your own service")
    .option("--root <directory>", "of an image that is being built")
    .option("--dry-run", "say what would be done, and do nothing")
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
  console.log(there[0] ? `The service is gone. ${kept} stay.` : "There was no such service.");
}

async function take(step: Step): Promise<void> {
  switch (step.kind) {
    case "keep":
      if (await exists(step.path)) return console.log(`${step.path} is kept as it is`);
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

/** Whole or not at all: a crash must not leave half a unit. */
async function write(path: string, text: string, mode: number): Promise<void> {
  if (isSame(path, text)) return console.log(`${path} is right already`);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(`${path}.new`, text, { mode });
  await rename(`${path}.new`, path);
  console.log(`wrote ${path}`);
}

function described(step: Step): string {
  if (step.kind === "run") return `# run: ${step.command.join(" ")}`;
  if (step.kind === "say") return `# ${step.text}`;
  return `# ${step.kind === "keep" ? "write, unless it is there" : "write"}: ${step.path}\n${step.text}`;
}

async function call([name = "", ...args]: readonly string[]): Promise<{ stdout: string }> {
  try {
    return await execute(name, args, { timeout: COMMAND_MS });
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === "ENOENT") throw new ExpectedError(`There is no ${name} on this machine: the service needs systemd`);
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
      "systemd does not run on this machine: nothing was changed. Run the agent in the foreground (ganglion-agent run), or install into an image with --root",
    );
  if (user) return;
  if (process.getuid?.() !== 0)
    throw new ExpectedError("A system service needs root: use sudo, or --user for one of your own");
}
