import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { isListening } from "../../base/endpoint.ts";
import type { AgentSettings } from "../../config/settings.ts";
import { UNIT_NAME } from "../unit.ts";
import { type DoctorFinding, error, ok, unknown, warning } from "./finding.ts";
import { limitsFinding } from "./limits-finding.ts";
import { subscriptionFinding } from "./subscription-finding.ts";

const execute = promisify(execFile);
const TOOL_MS = 5_000;

export async function hostChecks(settings: AgentSettings): Promise<DoctorFinding[]> {
  return [
    stateFinding(settings.stateDir),
    diskFinding(settings),
    ...inotifyFindings(),
    ...(settings.sources.includes("bus") ? [await busFinding(settings)] : []),
    ...(settings.sources.includes("sampler") ? [await gpuFinding(settings.gpuCommand ?? "nvidia-smi")] : []),
    await serviceFinding(),
    await subscriptionFinding(settings),
    await limitsFinding(settings),
  ];
}

function stateFinding(stateDir: string): DoctorFinding {
  const existing = nearestExisting(stateDir);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
    return ok("state", stateDir);
  } catch {
    return error(
      "state",
      `this user cannot write to ${existing}`,
      "make it writable, or set host.state_dir to another directory",
    );
  }
}

function diskFinding({ stateDir, spoolMaxBytes }: AgentSettings): DoctorFinding {
  let disk: { bavail: number; bsize: number };
  try {
    disk = statfsSync(nearestExisting(stateDir));
  } catch (failure) {
    return unknown("disk", `the system does not say how much is free: ${(failure as Error).message}`);
  }
  const { bavail, bsize } = disk;
  const free = bavail * bsize;
  const mb = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`;
  const fix = "free space, set host.state_dir to another disk, or lower spool.max_mb";
  if (free < 50 * 1024 * 1024) return error("disk", `${mb(free)} are free for ${stateDir}`, fix);
  if (free < spoolMaxBytes * 1.5)
    return warning("disk", `${mb(free)} are free, and the spool may take ${mb(spoolMaxBytes)}`, fix);
  return ok("disk", `${mb(free)} are free`);
}

function inotifyFindings(): DoctorFinding[] {
  const limit = (name: string) => Number(readIfPresent(`/proc/sys/fs/inotify/${name}`) || Number.NaN);
  const instances = limit("max_user_instances");
  const queue = limit("max_queued_events");
  if (Number.isNaN(instances))
    return [
      unknown(
        "inotify",
        "/proc/sys/fs/inotify cannot be read",
        "nothing to do: without inotify directories are read every 3 s",
      ),
    ];
  if (instances < 128)
    return [warning("inotify", `${instances} instances for each user`, "sysctl fs.inotify.max_user_instances=512")];
  const events = Number.isNaN(queue) ? "an unknown number of" : String(queue);
  return [ok("inotify", `${instances} instances for each user, ${events} queued events`)];
}

async function busFinding({ xsub, xpub }: AgentSettings): Promise<DoctorFinding> {
  const [publishers, subscribers] = await Promise.all([isListening(xsub), isListening(xpub)]);
  if (publishers && subscribers) return ok("bus", `a proxy (or this agent) listens at ${xsub} and ${xpub}`);
  if (!publishers && !subscribers)
    return ok("bus", `nothing listens at ${xsub} and ${xpub}: the agent will be the proxy`);
  const [taken, free] = publishers ? [xsub, xpub] : [xpub, xsub];
  return error(
    "bus",
    `something listens at ${taken}, but nothing at ${free}: half a bus`,
    "start the proxy of the bus at both addresses, or set bus.xsub and bus.xpub to free addresses",
  );
}

async function gpuFinding(command: string): Promise<DoctorFinding> {
  try {
    const { stdout } = await execute(command, ["-L"], { timeout: TOOL_MS });
    return ok("gpu", `${stdout.trim().split("\n").length} GPU(s)`);
  } catch (failure) {
    const { code, killed } = failure as NodeJS.ErrnoException & { killed?: boolean };
    if (code === "ENOENT") return ok("gpu", `no ${command}: GPUs are not measured`);
    const fix = "repair the driver; everything else is measured";
    const said = `${command} failed: ${toolProblem(failure)}`;
    return killed === true ? unknown("gpu", said, fix) : warning("gpu", said, fix);
  }
}

async function serviceFinding(): Promise<DoctorFinding> {
  if (!existsSync("/run/systemd/system")) return ok("service", "systemd does not run here");
  const silent: string[] = [];
  for (const scope of [[], ["--user"]]) {
    const properties = ["--property=LoadState,ActiveState,SubState,NRestarts,Result", UNIT_NAME];
    const answer = await execute("systemctl", [...scope, "show", ...properties], { timeout: TOOL_MS }).catch(
      toolProblem,
    );
    const state = typeof answer === "string" ? {} : propertiesIn(answer.stdout);
    if (state.LoadState === undefined)
      silent.push(`systemctl ${scope.join(" ")}: ${typeof answer === "string" ? answer : "no answer"}`);
    if (state.LoadState !== "loaded") continue;
    const detail = `${UNIT_NAME} is ${state.ActiveState} (${state.SubState}), ${state.NRestarts} restarts`;
    if (state.ActiveState === "active") return ok("service", detail);
    return error("service", `${detail}, ${state.Result}`, `journalctl ${scope.join(" ")} -u ${UNIT_NAME} -n 50`);
  }
  if (silent.length > 0) return unknown("service", `systemd could not be asked: ${silent.join("; ")}`);
  return ok("service", "not installed (ganglion-agent install)");
}

function propertiesIn(text: string): Record<string, string> {
  return Object.fromEntries(text.split("\n").flatMap((line) => (line.includes("=") ? [split(line)] : [])));
}

function split(line: string): [string, string] {
  const at = line.indexOf("=");
  return [line.slice(0, at), line.slice(at + 1)];
}

/** Why a tool gave no answer, in one line. */
function toolProblem(failure: unknown): string {
  const { code, killed, stderr, message } = failure as NodeJS.ErrnoException & { killed?: boolean; stderr?: string };
  if (code === "ENOENT") return "not found";
  if (killed === true) return `no answer within ${TOOL_MS / 1_000} s`;
  return ((stderr || message).trim().split("\n")[0] ?? "").slice(0, 200);
}

/** The directory, or the nearest existing one above it. */
function nearestExisting(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestExisting(dirname(path));
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
