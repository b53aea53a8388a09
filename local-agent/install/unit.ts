/** What differs from one installation to another. */
export interface UnitOptions {
  /** The command that runs the agent, absolute: Node and the agent's script. */
  readonly command: readonly string[];
  readonly config: string;
  /** `user`: a unit of one's own, run by one's own service manager. */
  readonly scope: "system" | "user";
  /** Who runs it; of a system unit only. */
  readonly user: string;
  /** Where the token is that the manager hands over as a credential; of a system unit only. */
  readonly tokenFile: string;
  /** systemd's sizes, such as 512M or 75%. It holds for everything that the agent starts, too. */
  readonly memoryMax: string;
  /** Share of one processor, such as 100%. */
  readonly cpuQuota: string;
  /** Directories that the agent, and what it starts, may write to beside its own state. */
  readonly writable: readonly string[];
  /** Version of systemd: later than 253 it makes longer and longer pauses between restarts. */
  readonly systemdVersion: number;
  /** Of the agent. */
  readonly version: string;
}

export const UNIT_NAME = "ganglion-agent.service";

/** Silence after which the manager restarts the agent. */
const WATCHDOG_SECONDS = 30;

/** The unit file. @see systemd.service(5), systemd.exec(5), systemd.resource-control(5) */
export function unitText(options: UnitOptions): string {
  const { command, config, scope } = options;
  const system = scope === "system";
  const sections: readonly (readonly [string, readonly (string | false)[]])[] = [
    [
      "Unit",
      [
        "Description=Ganglion agent: links this host to an edge",
        system && "Wants=network-online.target",
        system && "After=network-online.target",
        "# An edge or a network that is away for days is no reason to give up.",
        "StartLimitIntervalSec=0",
      ],
    ],
    [
      "Service",
      [
        "Type=notify",
        "# Where the agent cannot call the C library, systemd-notify speaks for it.",
        "NotifyAccess=all",
        `ExecStart=${[...command, "run", "--config", config].map(quoted).join(" ")}`,
        "ExecReload=/bin/kill -HUP $MAINPID",
        "Restart=always",
        ...restart(options.systemdVersion),
        `WatchdogSec=${WATCHDOG_SECONDS}`,
        "# A machine that boots is busy, and what was left by a crash is put in order first.",
        "TimeoutStartSec=300",
        "# What is in the spool gets a moment to leave, and what the agent supervises a moment to end.",
        "TimeoutStopSec=60",
        "KillMode=mixed",
        "# The agent puts what it supervises into groups of their own.",
        "Delegate=yes",
        "# What the kernel ends for want of memory is one of those, and is restarted by the agent.",
        "OOMPolicy=continue",
        `MemoryMax=${options.memoryMax}`,
        `CPUQuota=${options.cpuQuota}`,
        "TasksMax=2048",
        "LimitNOFILE=65536",
        ...(system ? systemLines(options) : userLines()),
      ],
    ],
    ["Install", [`WantedBy=${system ? "multi-user.target" : "default.target"}`]],
  ];
  const text = sections
    .map(([name, lines]) => `[${name}]\n${lines.filter((line) => line !== false).join("\n")}\n`)
    .join("\n");
  return `# Written by ganglion-agent install, version ${options.version}\n${text}`;
}

function restart(version: number): string[] {
  // Before 254 there is only one pause, whatever happened before.
  return version >= 254 ? ["RestartSec=1", "RestartSteps=6", "RestartMaxDelaySec=60"] : ["RestartSec=3"];
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
    "# Nothing of the system can be written; what is of /home can be read.",
    "ProtectSystem=strict",
    "ProtectHome=read-only",
    ...writable.map((path) => `ReadWritePaths=${quoted(`-${path}`)}`),
    "PrivateTmp=yes",
    "# Graphics cards, for nvidia-smi; no other devices.",
    "DevicePolicy=closed",
    "DeviceAllow=char-nvidia* rw",
    "DeviceAllow=char-nvidia-frontend rw",
    "DeviceAllow=char-nvidia-uvm rw",
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectProc=invisible",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "LockPersonality=yes",
    "RemoveIPC=yes",
    "KeyringMode=private",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @mount @reboot @swap @module @raw-io @obsolete @cpu-emulation @debug @clock",
    "SystemCallErrorNumber=EPERM",
    "# Not MemoryDenyWriteExecute: JavaScript is compiled while it runs. Not ProtectControlGroups: see Delegate.",
  ];
}

/** A user's own manager has no right to set up most of the sandbox. */
function userLines(): string[] {
  return ["NoNewPrivileges=yes", "RestrictRealtime=yes", "RestrictSUIDSGID=yes", "LockPersonality=yes", "UMask=0077"];
}

/** One word of a command line. @see systemd.syntax(7): `%` begins a specifier, `$` a variable */
function quoted(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w@%+=:,./$-]+$/.test(word) ? escaped : `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
