import { existsSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SERVICE_STATE } from "../../src/core/hosts/agent-socket.ts";
import { type Environment, SYSTEM_CONFIG, SYSTEM_TOKEN, userConfig, userState } from "../base/locations.ts";
import { ExpectedError } from "../base/service.ts";
import { isSame, type Removal, removalOf, requireReadable, type Step } from "../base/systemd/steps.ts";
import { version } from "../base/version.ts";
import { loadSettings } from "../config/settings.ts";
import { UNIT_NAME, type UnitOptions, unitText } from "./unit.ts";

export interface InstallOptions {
  readonly user?: true;
  readonly config?: string;
  readonly runAs: string;
  readonly memoryMax: string;
  readonly cpuQuota: string;
  readonly writable: readonly string[];
  /** Directory of an image that is being built: all files go below it, and nothing is started. */
  readonly root?: string;
  readonly systemdVersion: number;
}

const SYSUSERS_FILE = "/etc/sysusers.d/ganglion.conf";

const READABLE =
  "install the package where all users can read it, such as npm install -g --prefix /usr/local, or use --user";

/** Settings of a host that has none yet. */
export const CONFIG_TEMPLATE = `# Settings of the Ganglion agent. \`ganglion-agent check\` explains errors;
# \`systemctl reload ganglion-agent\` applies most of them without a restart.
edge:
  url: http://127.0.0.1:8787
  ecosystem: default
# host: { id: this-host }
# observability: { port: 9464 }
`;

export function installPlan(options: InstallOptions, env: Environment): Step[] {
  const place = placeOf(options, env);
  const below = (path: string) => (options.root === undefined ? path : join(options.root, path));
  const unit: UnitOptions = {
    command: agentCommand(),
    config: place.config,
    scope: place.scope,
    user: options.runAs,
    tokenFile: SYSTEM_TOKEN,
    memoryMax: options.memoryMax,
    cpuQuota: options.cpuQuota,
    writable: options.writable,
    systemdVersion: options.systemdVersion,
    version: version(),
  };
  const system = place.scope === "system";
  const [node = "", script = ""] = unit.command;
  if (system && options.root === undefined) for (const path of [node, script]) requireReadable(path, READABLE);
  const text = unitText(unit);
  const steps: Step[] = [
    { kind: "keep", path: below(place.config), text: CONFIG_TEMPLATE, mode: 0o644 },
    { kind: "write", path: below(place.unit), text, mode: 0o644 },
  ];
  if (system && options.runAs === "ganglion") {
    const user = `u ganglion - "Ganglion agent" ${SERVICE_STATE}\n`;
    steps.push({ kind: "write", path: below(SYSUSERS_FILE), text: user, mode: 0o644 });
    steps.push({ kind: "run", command: ["systemd-sysusers", ...rootOption(options), below(SYSUSERS_FILE)] });
  }
  if (options.root !== undefined) {
    steps.push({ kind: "run", command: ["systemctl", `--root=${options.root}`, "enable", UNIT_NAME] });
    return steps;
  }
  steps.push({ kind: "run", command: [...place.systemctl, "daemon-reload"] });
  steps.push({ kind: "run", command: [...place.systemctl, "enable", UNIT_NAME] });
  const start = [...place.systemctl, "start", UNIT_NAME];
  const token = system ? SYSTEM_TOKEN : join(userState(env), "token");
  if (!(system ? existsSync(token) : isComplete(place.config, env)))
    steps.push({ kind: "say", text: `Put the host's token into ${token} (mode 0600), then: ${start.join(" ")}` });
  // A running service has the old unit, and the version that wrote it.
  else if (isSame(place.unit, text)) steps.push({ kind: "run", command: start });
  else steps.push({ kind: "run", command: [...place.systemctl, "restart", UNIT_NAME] });
  if (!system)
    steps.push({
      kind: "say",
      text: "The service runs while you are logged in. To run it always: loginctl enable-linger",
    });
  return steps;
}

/** Whether an agent can start with these settings, which need a token above all. */
function isComplete(config: string, env: Environment): boolean {
  return existsSync(config) && loadSettings(env, "/", config).settings !== undefined;
}

/** Settings, state and token are not removed. */
export function uninstallPlan(options: Pick<InstallOptions, "user" | "root">, env: Environment): Removal {
  const place = placeOf(options, env);
  return removalOf({
    files: [place.unit, ...(place.scope === "system" ? [SYSUSERS_FILE] : [])],
    unitName: UNIT_NAME,
    systemctl: place.systemctl,
    root: options.root,
    kept: place.scope === "system" ? "/etc/ganglion and /var/lib/ganglion" : "your settings and the state directory",
  });
}

function placeOf({ user, config, root }: Pick<InstallOptions, "user" | "config" | "root">, env: Environment) {
  if (user && root !== undefined) throw new ExpectedError("--user and --root cannot be combined: leave one out");
  if (user) {
    const settings = userConfig(env);
    const unit = join(dirname(dirname(settings)), "systemd", "user", UNIT_NAME);
    return { scope: "user", config: config ?? settings, unit, systemctl: ["systemctl", "--user"] } as const;
  }
  const unit = join("/etc/systemd/system", UNIT_NAME);
  return { scope: "system", config: config ?? SYSTEM_CONFIG, unit, systemctl: ["systemctl"] } as const;
}

function rootOption({ root }: InstallOptions): string[] {
  return root === undefined ? [] : [`--root=${root}`];
}

/** The command that runs this agent with this Node. */
function agentCommand(): string[] {
  const here = fileURLToPath(import.meta.url);
  return [process.execPath, join(dirname(dirname(here)), `main${extname(here)}`)];
}
