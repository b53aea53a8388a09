import { Command } from "commander";
import { ExpectedError } from "../base/service.ts";
import { requireSystem, systemdVersion, takeAway, takeSteps } from "../base/systemd/steps.ts";
import { type InstallOptions, installPlan, uninstallPlan } from "./plan.ts";

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

const FOREGROUND = "Run the agent in the foreground (ganglion-agent run)";

async function runInstall(options: Omit<InstallOptions, "systemdVersion"> & { dryRun?: true }): Promise<void> {
  const version = await systemdVersion();
  if (options.root === undefined && !options.dryRun) requireSystem(options, FOREGROUND);
  await takeSteps(installPlan({ ...options, systemdVersion: version }, process.env), options.dryRun === true);
}

async function runUninstall(options: { user?: true; root?: string; dryRun?: true }): Promise<void> {
  if (options.root === undefined && !options.dryRun) requireSystem(options, FOREGROUND);
  await takeAway(uninstallPlan(options, process.env), options.dryRun === true);
}
