/** A service of the system gains no rights, and changes nothing of the kernel. @see systemd.exec(5) */
export const NO_PRIVILEGES: readonly string[] = [
  "NoNewPrivileges=yes",
  "CapabilityBoundingSet=",
  "AmbientCapabilities=",
  "ProtectKernelTunables=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelLogs=yes",
];

/** System calls and resources that none of the services needs. */
export const RESTRICTIONS: readonly string[] = [
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
  "LockPersonality=yes",
  "RemoveIPC=yes",
  "KeyringMode=private",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
];

/** A user's service manager has no right to set up most of the sandbox. */
export const USER_SANDBOX: readonly string[] = [
  "NoNewPrivileges=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  "UMask=0077",
];
