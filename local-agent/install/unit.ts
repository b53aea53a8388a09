import { NO_PRIVILEGES, RESTRICTIONS, USER_SANDBOX } from "../base/systemd/sandbox.ts";
import { quoted, restartLines, type Section, unitFile } from "../base/systemd/unit-words.ts";

/** The parts of the unit that differ between installations. */
export interface UnitOptions {
  /** The command that runs the agent, absolute: Node and the agent's script. */
  readonly command: readonly string[];
  readonly config: string;
  /** `user`: a unit of one user, run by the user's own service manager. */
  readonly scope: "system" | "user";
  /** User that runs the service; of a system unit only. */
  readonly user: string;
  /** Token file that the manager passes as a credential; of a system unit only. */
  readonly tokenFile: string;
  /** Memory limit of the agent and its child processes, in systemd's notation, such as 512M or 75%. */
  readonly memoryMax: string;
  /** Share of one processor, such as 100%. */
  readonly cpuQuota: string;
  /** Directories, beside the state directory, that the agent and its child processes may write to. */
  readonly writable: readonly string[];
  /** Version of systemd: from 254 on the pause between restarts can grow. */
  readonly systemdVersion: number;
  /** Version of the agent. */
  readonly version: string;
}

export const UNIT_NAME = "ganglion-agent.service";

/** Silence after which the manager restarts the agent. */
const WATCHDOG_SECONDS = 30;

/** The unit file. @see systemd.service(5), systemd.exec(5), systemd.resource-control(5) */
export function unitText(options: UnitOptions): string {
  const { command, config, scope } = options;
  const system = scope === "system";
  const sections: Section = [
    [
      "Unit",
      [
        "Description=Ganglion agent: links this host to an edge",
        system && "Wants=network-online.target",
        system && "After=network-online.target",
        "# Restart without a limit: edge or network may be away for days.",
        "StartLimitIntervalSec=0",
      ],
    ],
    [
      "Service",
      [
        "Type=notify",
        "# When the agent cannot call the C library, it runs systemd-notify.",
        "NotifyAccess=all",
        `ExecStart=${[...command, "run", "--config", config].map(quoted).join(" ")}`,
        "ExecReload=/bin/kill -HUP $MAINPID",
        "Restart=always",
        ...restartLines(options.systemdVersion),
        `WatchdogSec=${WATCHDOG_SECONDS}`,
        "# A booting machine is busy, and the agent first cleans up after a crash.",
        "TimeoutStartSec=300",
        "# Time to send the spool, and to end the supervised agents.",
        "TimeoutStopSec=60",
        "KillMode=mixed",
        "# The agent puts supervised agents into control groups of their own.",
        "Delegate=yes",
        "# When the kernel kills a supervised agent for lack of memory, the agent restarts it.",
        "OOMPolicy=continue",
        `MemoryMax=${options.memoryMax}`,
        `CPUQuota=${options.cpuQuota}`,
        "TasksMax=2048",
        "LimitNOFILE=65536",
        ...(system ? systemLines(options) : USER_SANDBOX),
      ],
    ],
    ["Install", [`WantedBy=${system ? "multi-user.target" : "default.target"}`]],
  ];
  return unitFile(`ganglion-agent install, version ${options.version}`, sections);
}

function systemLines({ user, tokenFile, writable }: UnitOptions): string[] {
  return [
    `User=${user}`,
    `Group=${user}`,
    "StateDirectory=ganglion",
    "StateDirectoryMode=0750",
    "RuntimeDirectory=ganglion",
    `LoadCredential=ganglion-token:${tokenFile}`,
    "UMask=0027",
    "# The system cannot be written; /home can be read.",
    "ProtectSystem=strict",
    "ProtectHome=read-only",
    ...writable.map((path) => `ReadWritePaths=${quoted(`-${path}`)}`),
    "PrivateTmp=yes",
    "# Graphics cards, for nvidia-smi; no other devices.",
    "DevicePolicy=closed",
    "DeviceAllow=char-nvidia* rw",
    "DeviceAllow=char-nvidia-frontend rw",
    "DeviceAllow=char-nvidia-uvm rw",
    ...NO_PRIVILEGES,
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectProc=invisible",
    ...RESTRICTIONS,
    "SystemCallFilter=~@privileged @mount @reboot @swap @module @raw-io @obsolete @cpu-emulation @debug @clock",
    "SystemCallErrorNumber=EPERM",
    "# Not MemoryDenyWriteExecute: JavaScript is compiled while it runs. Not ProtectControlGroups: see Delegate.",
  ];
}
