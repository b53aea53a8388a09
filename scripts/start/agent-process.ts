import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { PROJECT_ROOT } from "../../local-edge/paths.ts";

/** Where the agent gets signals from, as it says itself. */
export interface Source {
  readonly name: string;
  readonly state: string;
  readonly detail?: string;
}

/** What the agent tells the process that started it. */
interface ReadyMessage {
  readonly type: "ready";
  readonly sources: readonly Source[];
}

const RESTART_FIRST_MS = 1_000;
const RESTART_MOST_MS = 30_000;
/** An agent that ran this long had started well: its end is a new trouble, not the last one again. */
const SETTLED_MS = 60_000;
/** Time to drain after SIGTERM, in milliseconds; leaves room for the edge within the ten seconds that a stop may take. */
const DRAIN_MS = 8_000;

/**
 * The agent as a child process. It is started again, later each time, when it dies; what it had taken in is in its
 * spool, so nothing is lost meanwhile.
 */
export class AgentProcess {
  /** The agent's first report. Rejects when it ends before it could give one: then something is wrong that stays wrong. */
  readonly ready: Promise<readonly Source[]>;

  readonly #environment: NodeJS.ProcessEnv;
  readonly #say: (sentence: string) => void;
  readonly #script: string;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #restarts = 0;
  #stopping = false;
  #reported = false;

  constructor(
    environment: NodeJS.ProcessEnv,
    say: (sentence: string) => void,
    script = join(PROJECT_ROOT, "local-agent", "main.ts"),
  ) {
    this.#environment = environment;
    this.#say = say;
    this.#script = script;
    this.ready = new Promise((resolve, reject) => this.#run(resolve, reject));
    // Whoever waits for it hears of it; a stop before that must not count as an error that nobody caught.
    this.ready.catch(() => {});
  }

  /** Lets the agent hand over what it holds, then ends it. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const impatience = setTimeout(() => {
      this.#say(`The agent did not stop within ${DRAIN_MS / 1000} s; it is killed. What it holds is in its spool.`);
      child.kill("SIGKILL");
    }, DRAIN_MS);
    child.kill("SIGTERM");
    await ended;
    clearTimeout(impatience);
  }

  #run(ready: (sources: readonly Source[]) => void, failed: (error: Error) => void): void {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [this.#script], {
      cwd: PROJECT_ROOT,
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // A process group of its own: Ctrl-C in the terminal would otherwise tell the agent to stop at the same time as
      // us, and again when we do. It ends when the channel to us does, should we be killed.
      detached: true,
    });
    this.#child = child;
    this.#relay(child.stdout);
    this.#relay(child.stderr);
    child.on("message", (message) => {
      if (!isReady(message)) return;
      this.#reported = true;
      ready(message.sources);
    });
    child.once("error", (error) => failed(error));
    child.once("exit", (code, signal) => {
      const how = code === null ? `by ${signal}` : `with code ${code}`;
      if (this.#stopping) {
        failed(new Error("The agent was stopped while it was starting."));
      } else if (this.#reported) {
        this.#restartLater(how, performance.now() - startedAt);
      } else {
        failed(new Error(`The agent ended ${how} before it was ready. What it said stands above.`));
      }
    });
  }

  #restartLater(how: string, ranMs: number): void {
    this.#restarts = ranMs > SETTLED_MS ? 0 : this.#restarts + 1;
    const delayMs = Math.min(RESTART_FIRST_MS * 2 ** Math.max(this.#restarts - 1, 0), RESTART_MOST_MS);
    this.#say(`The agent ended ${how}. It is started again in ${delayMs / 1000} s.`);
    this.#restart = setTimeout(
      () =>
        this.#run(
          () => this.#say("The agent is back."),
          (error) => {
            if (!this.#stopping) this.#say(error.message);
          },
        ),
      delayMs,
    );
  }

  #relay(stream: Readable | null): void {
    if (stream === null) return;
    createInterface({ input: stream }).on("line", (line) => this.#say(`agent: ${line}`));
  }
}

function isReady(message: unknown): message is ReadyMessage {
  return (
    typeof message === "object" &&
    message !== null &&
    (message as { type?: unknown }).type === "ready" &&
    Array.isArray((message as { sources?: unknown }).sources)
  );
}
