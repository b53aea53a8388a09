import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Environment, userConfig, userState } from "../../local-agent/base/locations.ts";
import { ExpectedError } from "../../local-agent/base/service.ts";
import { isSame, type Removal, removalOf, requireReadable, type Step } from "../../local-agent/base/systemd/steps.ts";
import { version } from "../../local-agent/base/version.ts";
import { listenFromEnvironment } from "../port.ts";
import { STATE_NAME, UNIT_NAME, type UnitOptions, unitText } from "./unit.ts";

export interface InstallOptions {
  readonly user?: true;
  readonly listen: string;
  readonly stateDir?: string;
  readonly allowedHosts: string;
  readonly runAs: string;
  readonly memoryMax: string;
  /** Directory of an image that is being built: all files go below it, and nothing is started. */
  readonly root?: string;
  readonly systemdVersion: number;
}

const SYSUSERS_FILE = "/etc/sysusers.d/ganglion-edge.conf";
const READABLE = "put the project where all users can read it, such as /opt/ganglion, or use --user";

const ENVIRONMENT_TEMPLATE = `# Settings of the Ganglion edge, a variable a line (docs/deploy.md). They count from its next start:
# systemctl restart ganglion-edge
# GANGLION_RETENTION_DAYS=7
# GANGLION_LOG_MAX_GB=8
# GANGLION_CORS_ORIGINS=
# GANGLION_WEBHOOKS_ALLOW_PRIVATE=true
`;

export function installPlan(options: InstallOptions, env: Environment): Step[] {
  const place = placeOf(options, env);
  const below = (path: string) => (options.root === undefined ? path : join(options.root, path));
  const system = place.scope === "system";
  // Refused here, and not by the service when it starts.
  const { host } = listenFromEnvironment({ GANGLION_LISTEN: options.listen });
  const unit: UnitOptions = {
    command: edgeCommand(),
    scope: place.scope,
    user: options.runAs,
    stateDir: place.stateDir,
    listen: options.listen,
    allowedHosts: options.allowedHosts,
    environmentFile: place.environment,
    memoryMax: options.memoryMax,
    systemdVersion: options.systemdVersion,
    version: version(),
  };
  if (system && options.root === undefined) for (const path of unit.command) requireReadable(path, READABLE);
  const text = unitText(unit);
  const steps: Step[] = [
    { kind: "keep", path: below(place.environment), text: ENVIRONMENT_TEMPLATE, mode: 0o640 },
    { kind: "write", path: below(place.unit), text, mode: 0o644 },
  ];
  if (system && options.runAs === STATE_NAME) {
    const user = `u ${STATE_NAME} - "Ganglion edge" /var/lib/${STATE_NAME}\n`;
    steps.push({ kind: "write", path: below(SYSUSERS_FILE), text: user, mode: 0o644 });
    const root = options.root === undefined ? [] : [`--root=${options.root}`];
    steps.push({ kind: "run", command: ["systemd-sysusers", ...root, below(SYSUSERS_FILE)] });
  }
  if (options.root !== undefined) {
    steps.push({ kind: "run", command: ["systemctl", `--root=${options.root}`, "enable", UNIT_NAME] });
    return steps;
  }
  // The system makes its own directory for the service; one that was chosen has to be there before.
  if (system && options.stateDir !== undefined) {
    const owner = ["-o", options.runAs, "-g", options.runAs];
    steps.push({ kind: "run", command: ["install", "-d", "-m", "700", ...owner, options.stateDir] });
  }
  steps.push({ kind: "run", command: [...place.systemctl, "daemon-reload"] });
  steps.push({ kind: "run", command: [...place.systemctl, "enable", UNIT_NAME] });
  // A running service has the old unit, and the version that wrote it.
  const verb = isSame(place.unit, text) ? "start" : "restart";
  steps.push({ kind: "run", command: [...place.systemctl, verb, UNIT_NAME] });
  return [...steps, ...next(place, host, options)];
}

/** Settings and state are not removed. */
export function uninstallPlan(options: Pick<InstallOptions, "user" | "root">, env: Environment): Removal {
  const place = placeOf(options, env);
  return removalOf({
    files: [place.unit, ...(place.scope === "system" ? [SYSUSERS_FILE] : [])],
    unitName: UNIT_NAME,
    systemctl: place.systemctl,
    root: options.root,
    kept: `${place.environment} and the state (${place.stateDir}, unless you chose another)`,
  });
}

/** What a person does afterwards. */
function next({ scope, stateDir }: ReturnType<typeof placeOf>, host: string, { listen, allowedHosts }: InstallOptions) {
  const say = (text: string): Step => ({ kind: "say", text });
  const steps = [say(`The administrator's token is in ${join(stateDir, "token")}; the first start makes it.`)];
  steps.push(say(`Try it: ganglion smoke http://${listen} --token-file ${join(stateDir, "token")}`));
  if (host.startsWith("127."))
    steps.push(say("Only this machine reaches it. For other hosts put a proxy with TLS in front: docs/deploy.md."));
  else if (host === "0.0.0.0" && allowedHosts === "")
    steps.push(
      say("Requests must name a host that is allowed: repeat this with --allowed-hosts and the names of this machine."),
    );
  if (scope === "user")
    steps.push(say("The service runs while you are logged in. To run it always: loginctl enable-linger"));
  return steps;
}

function placeOf({ user, root, stateDir }: Pick<InstallOptions, "user" | "root" | "stateDir">, env: Environment) {
  if (user && root !== undefined) throw new ExpectedError("--user and --root cannot be combined: leave one out");
  if (stateDir !== undefined && !stateDir.startsWith("/"))
    throw new ExpectedError(`--state-dir ${stateDir}: give an absolute path`);
  if (user) {
    const settings = dirname(userConfig(env));
    return {
      scope: "user",
      stateDir: stateDir ?? join(dirname(userState(env)), STATE_NAME),
      environment: join(settings, "edge.env"),
      unit: join(dirname(settings), "systemd", "user", UNIT_NAME),
      systemctl: ["systemctl", "--user"],
    } as const;
  }
  return {
    scope: "system",
    stateDir: stateDir ?? `/var/lib/${STATE_NAME}`,
    environment: "/etc/ganglion/edge.env",
    unit: join("/etc/systemd/system", UNIT_NAME),
    systemctl: ["systemctl"],
  } as const;
}

/** The command that runs this edge with this Node. */
function edgeCommand(): string[] {
  const here = fileURLToPath(import.meta.url);
  return [process.execPath, join(dirname(dirname(here)), `command${extname(here)}`)];
}
