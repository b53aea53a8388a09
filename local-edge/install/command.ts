import { Command } from "commander";
import { requireSystem, systemdVersion, takeAway, takeSteps } from "../../local-agent/base/systemd/steps.ts";
import { upToDateBundleFile } from "../bundle.ts";
import { type InstallOptions, installPlan, uninstallPlan } from "./plan.ts";
import { STATE_NAME } from "./unit.ts";

const FOREGROUND = "Run the edge in the foreground (ganglion-edge run)";

type Given = Omit<InstallOptions, "systemdVersion"> & { readonly dryRun?: true };

/** `ganglion-edge install` and `ganglion-edge uninstall`. Both may be repeated. */
export function serviceCommands(): Command[] {
  const install = new Command("install")
    .summary("install the edge as a systemd service and start it")
    .option("--user", "install a service of your own user, without root")
    .option("--listen <address:port>", "where the edge listens", "127.0.0.1:8787")
    .option("--allowed-hosts <names>", "hosts that requests may name beside those of this machine, for a proxy", "")
    .option("--state-dir <directory>", `state of the edge (default: /var/lib/${STATE_NAME}, or your own with --user)`)
    .option("--run-as <user>", "user that runs the service; the default one is created when missing", STATE_NAME)
    .option("--memory-max <size>", "memory limit of the edge, such as 2G or 50%", "2G")
    .option("--root <directory>", "install into an image that is being built")
    .option("--dry-run", "print the steps without taking them")
    .action(runInstall);
  const uninstall = new Command("uninstall")
    .summary("stop and remove the service; settings and state stay")
    .option("--user", "remove the service of your own user")
    .option("--root <directory>", "remove it from an image that is being built")
    .option("--dry-run", "print the steps without taking them")
    .action(async (options: Pick<Given, "user" | "root" | "dryRun">) => {
      if (options.root === undefined && !options.dryRun) requireSystem(options, FOREGROUND);
      await takeAway(uninstallPlan(options, process.env), options.dryRun === true);
    });
  return [install, uninstall];
}

async function runInstall({ dryRun, ...options }: Given): Promise<void> {
  const plan = installPlan({ ...options, systemdVersion: await systemdVersion() }, process.env);
  if (options.root === undefined && !dryRun) {
    requireSystem(options, FOREGROUND);
    // The service may not write to the project.
    await upToDateBundleFile(() => console.log("building the Worker"));
  }
  await takeSteps(plan, dryRun === true);
}
