import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What `npm run try:service` calls, and the Debian package that brings it. */
const TOOLS = {
  "qemu-system-x86_64": "qemu-system-x86",
  mmdebstrap: "mmdebstrap",
  mke2fs: "e2fsprogs",
  npm: "npm",
} as const;

/** @returns programs that this machine lacks, and the Debian packages that bring them */
export function missingTools(): { readonly programs: string[]; readonly packages: string[] } {
  const missing = Object.entries(TOOLS).filter(([program]) => !isInstalled(program));
  return { programs: missing.map(([program]) => program), packages: missing.map(([, name]) => name) };
}

/** mke2fs lies in a directory that only root has on the path. */
export function withSystemPrograms(path = process.env.PATH ?? ""): string {
  return [path, "/usr/sbin", "/sbin"].join(delimiter);
}

function isInstalled(program: string): boolean {
  return withSystemPrograms()
    .split(delimiter)
    .some((directory) => may(join(directory, program), constants.X_OK));
}

/**
 * KVM where the processor supports virtualisation, emulation in software otherwise, which is some twenty times as slow.
 * A /dev/kvm alone is no proof: some kinds of it run no ordinary kernel.
 */
export function accelerator(): "kvm" | "tcg" {
  const virtualises = /^flags\s*:.*\b(vmx|svm)\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
  return virtualises && may("/dev/kvm", constants.R_OK | constants.W_OK) ? "kvm" : "tcg";
}

function may(path: string, what: number): boolean {
  try {
    accessSync(path, what);
    return true;
  } catch {
    return false;
  }
}
