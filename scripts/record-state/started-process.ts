import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A program of a clone, run by the Node that the clone pins, in a process group of its own. */
export class StartedProcess {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #ended: Promise<void>;

  constructor(clone: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(join(clone, "node_modules", ".bin", "node"), args, {
      cwd: clone,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on("line", (line) => void this.#lines.push(line));
    }
    this.#ended = new Promise((resolve) => this.#child.once("exit", () => resolve()));
  }

  /** @returns the first group of the first line that matches, once there is one */
  async line(pattern: RegExp): Promise<string> {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
      const match = this.#lines.map((line) => pattern.exec(line)).find((found) => found !== null);
      if (match) return match[1] ?? "";
      if (this.#child.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`no line like ${pattern}; the process printed:\n${this.#lines.join("\n")}`);
  }

  /** SIGKILL to the process and its children; does nothing where it has ended. */
  async kill(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    process.kill(-pid, "SIGKILL");
    await this.#ended;
  }
}
