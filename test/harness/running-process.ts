import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { PROJECT_ROOT } from "../../local-edge/paths.ts";
import { atEnd } from "./cleanup.ts";
import { within } from "./until.ts";

export interface ProcessOptions {
  readonly cwd?: string;
  /** Over the environment of the tests; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly command?: string;
  /** `pipe`: what it reads is written to `child.stdin`. Default: it has nothing to read. */
  readonly stdin?: "pipe" | "ignore";
}

/**
 * A real process and everything it starts, in a process group of its own. What it says is kept line by line, standard
 * output and error together. Whatever a test does, nothing of it is left when the tests of the file are over.
 */
export class RunningProcess {
  readonly lines: string[] = [];
  readonly messages: unknown[] = [];
  readonly child: ChildProcess;
  /** Resolves when it has ended and all it said has been read: its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly #waiting = new Set<() => void>();
  #over = false;

  /** @param args - the script and its arguments, for Node unless `options.command` names another */
  constructor(
    args: readonly string[],
    { cwd = PROJECT_ROOT, env = {}, command = process.execPath, stdin = "ignore" }: ProcessOptions = {},
  ) {
    this.child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      // The channel lets scripts notice that the tests were killed, and end.
      stdio: [stdin, "pipe", "pipe", "ipc"],
      detached: true,
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream) createInterface({ input: stream }).on("line", (line) => this.#heard(() => this.lines.push(line)));
    }
    this.child.on("message", (message) => this.#heard(() => this.messages.push(message)));
    this.ended = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code, signal) => {
        this.#over = true;
        this.#heard(() => {});
        resolve(code ?? signal ?? "SIGKILL");
      });
    });
    this.ended.catch(() => {});
    atEnd(() => this.killGroup());
  }

  get pid(): number {
    const { pid } = this.child;
    if (pid === undefined) throw new Error("the process did not start");
    return pid;
  }

  /** The first line that matches, whether it was said already or is yet to come. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until(`a line like ${pattern}`, () => {
      for (const line of this.lines) {
        const match = pattern.exec(line);
        if (match !== null) return match;
      }
      return undefined;
    });
  }

  /** Resolves when `count` of its lines match. */
  async times(pattern: RegExp, count: number): Promise<void> {
    await this.#until(`${count} lines like ${pattern}`, () => {
      return this.lines.filter((line) => pattern.test(line)).length >= count ? true : undefined;
    });
  }

  /** The first message on the channel that `wanted` accepts. */
  async message<T extends object>(wanted: (message: Partial<T>) => boolean, what: string): Promise<T> {
    return this.#until(what, () => this.messages.find((one) => wanted(one as Partial<T>)) as T | undefined);
  }

  /** To the process alone. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** To the process and its children, as a terminal sends Ctrl-C. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  /** Asks it to stop. @returns how it ended */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | NodeJS.Signals> {
    // Unlike `signal` this is no error where it has just ended by itself.
    this.child.kill(signal);
    return within(this.ended, "the process to stop");
  }

  /** SIGKILL to the process and its children. */
  async killGroup(): Promise<void> {
    try {
      this.signalGroup("SIGKILL");
    } catch (error) {
      // Nothing of the group is left.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
    await within(this.ended, "the killed process to end");
  }

  async #until<T>(what: string, look: () => T | undefined): Promise<T> {
    const found = new Promise<T>((resolve, reject) => {
      const check = () => {
        const answer = look();
        if (answer !== undefined) resolve(answer);
        else if (this.#over) reject(new Error(`the process ended without ${what}; it said:\n${this.lines.join("\n")}`));
        else return;
        this.#waiting.delete(check);
      };
      this.#waiting.add(check);
      check();
    });
    return within(found, what);
  }

  #heard(keep: () => void): void {
    keep();
    for (const check of this.#waiting) check();
  }
}
