import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What `npm run try:service` calls, and the Debian package that brings it. */
const TOOLS = {
  "qemu-system-x86_64": "qemu-system-x86",
  mmdebstrap: "mmdebstrap",
  mke2fs: "e2fsprogs",
  npm: "npm",
} as const;

/** @returns what is missing on this machine: programs, and the packages that bring them */
export function missingTools(): { readonly programs: string[]; readonly packages: string[] } {
  const missing = Object.entries(TOOLS).filter(([program]) => !isThere(program));
  return { programs: missing.map(([program]) => program), packages: missing.map(([, name]) => name) };
}

/** mke2fs is where only root looks for programs. */
export function withSystemPrograms(path = process.env.PATH ?? ""): string {
  return [path, "/usr/sbin", "/sbin"].join(delimiter);
}

function isThere(program: string): boolean {
  return withSystemPrograms()
    .split(delimiter)
    .some((directory) => may(join(directory, program), constants.X_OK));
}

/**
 * How the processor of the virtual machine is had: by the real one where that can divide itself, in software otherwise,
 * which is some twenty times as slow. A /dev/kvm alone does not say: it may be of a kind that runs no ordinary kernel.
 */
export function accelerator(): "kvm" | "tcg" {
  const divisible = /^flags\s*:.*\b(vmx|svm)\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
  return divisible && may("/dev/kvm", constants.R_OK | constants.W_OK) ? "kvm" : "tcg";
}

function may(path: string, what: number): boolean {
  try {
    accessSync(path, what);
    return true;
  } catch {
    return false;
  }
}
