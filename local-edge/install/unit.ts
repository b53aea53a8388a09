import { NO_PRIVILEGES, RESTRICTIONS, USER_SANDBOX } from "../../local-agent/base/systemd/sandbox.ts";
import { quoted, restartLines, type Section, unitFile } from "../../local-agent/base/systemd/unit-words.ts";

/** The parts of the unit that differ between installations. */
export interface UnitOptions {
  /** The command that runs the edge, absolute: Node and the script. */
  readonly command: readonly string[];
  readonly scope: "system" | "user";
  /** User that runs the service; of a system unit only. */
  readonly user: string;
  readonly stateDir: string;
  /** `address:port` */
  readonly listen: string;
  /** Hosts that requests may name beside those of this machine, with commas between them. */
  readonly allowedHosts: string;
  /** File with further variables, read where it exists. */
  readonly environmentFile: string;
  readonly memoryMax: string;
  readonly systemdVersion: number;
  readonly version: string;
}

export const UNIT_NAME = "ganglion-edge.service";
/** Name of the state directory below /var/lib, which systemd makes for the service's user. */
export const STATE_NAME = "ganglion-edge";

/** The unit file. @see systemd.service(5), systemd.exec(5), systemd.resource-control(5) */
export function unitText(options: UnitOptions): string {
  const { command, scope, stateDir, listen, allowedHosts, environmentFile } = options;
  const system = scope === "system";
  const sections: Section = [
    [
      "Unit",
      [
        "Description=Ganglion edge: the log, rules and queues of this machine",
        system && "Wants=network-online.target",
        system && "After=network-online.target",
        "# Restart without a limit: hosts wait for the edge with their signals.",
        "StartLimitIntervalSec=0",
      ],
    ],
    [
      "Service",
      [
        "Type=notify",
        "# When the edge cannot call the C library, it runs systemd-notify.",
        "NotifyAccess=all",
        `ExecStart=${[...command, "run"].map(quoted).join(" ")}`,
        `Environment=${quoted(`GANGLION_STATE_DIR=${stateDir}`)}`,
        `Environment=${quoted(`GANGLION_LISTEN=${listen}`)}`,
        allowedHosts !== "" && `Environment=${quoted(`GANGLION_ALLOWED_HOSTS=${allowedHosts}`)}`,
        "# Other settings of the edge: GANGLION_RETENTION_DAYS and the like.",
        `EnvironmentFile=-${environmentFile}`,
        "Restart=always",
        ...restartLines(options.systemdVersion),
        "# A large state is read before the edge answers.",
        "TimeoutStartSec=300",
        "# The edge stops within ten seconds; everything that it confirmed is on the disk.",
        "TimeoutStopSec=30",
        "# The runtime is a child, which the edge ends itself.",
        "KillMode=mixed",
        "# When the kernel kills the runtime for lack of memory, the edge starts it again.",
        "OOMPolicy=continue",
        `MemoryMax=${options.memoryMax}`,
        "TasksMax=1024",
        "LimitNOFILE=65536",
        ...(system ? systemLines(options) : USER_SANDBOX),
      ],
    ],
    ["Install", [`WantedBy=${system ? "multi-user.target" : "default.target"}`]],
  ];
  return unitFile(`ganglion-edge install, version ${options.version}`, sections);
}

function systemLines({ user, stateDir }: UnitOptions): string[] {
  const own = stateDir === `/var/lib/${STATE_NAME}`;
  return [
    `User=${user}`,
    `Group=${user}`,
    ...(own ? [`StateDirectory=${STATE_NAME}`, "StateDirectoryMode=0700"] : [`ReadWritePaths=${quoted(stateDir)}`]),
    "UMask=0077",
    "# Nothing but the state can be written; /home, where the project may be, can be read.",
    "ProtectSystem=strict",
    "ProtectHome=read-only",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    ...NO_PRIVILEGES,
    "ProtectControlGroups=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    ...RESTRICTIONS,
    "SystemCallErrorNumber=EPERM",
    "# Not MemoryDenyWriteExecute: JavaScript is compiled while it runs. Not ProtectProc: the edge looks at its runtime there.",
  ];
}
