import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { PROJECT_ROOT } from "../../local-edge/paths.ts";

/** A source of signals, as the agent reports it. */
export interface Source {
  readonly name: string;
  readonly state: string;
  readonly detail: string;
}

/** Sent by the agent over the channel to its parent: when its sources are up, and at every change after that. */
interface AgentReport {
  readonly type: "ready" | "status";
  readonly sources: readonly Source[];
  readonly link: { readonly state: string; readonly detail: string };
}

/** When to mention that the link is not up yet, in milliseconds. */
const PATIENCE_MS = 5_000;
const RESTART_FIRST_MS = 1_000;
const RESTART_MOST_MS = 30_000;
/** An agent that ran this long started well: the pause before its next restart begins small again. */
const SETTLED_MS = 60_000;
/** Time to drain after SIGTERM, in milliseconds; leaves room for the edge within the ten seconds that a stop may take. */
const DRAIN_MS = 8_000;
/** A second SIGTERM makes the agent end at once together with its commands; SIGKILL would leave them running. */
const LAST_WORDS_MS = 500;

/**
 * The agent as a child process. It is started again, later each time, when it dies; what it had taken in is in its
 * spool, so nothing is lost meanwhile.
 */
export class AgentProcess {
  /**
   * The sources, once they are up and the edge has accepted the link. Rejects when the agent ends before it could
   * report anything: then something is wrong that stays wrong.
   */
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
    // Callers that await it get the rejection; without any, a stop during the start must not be an unhandled error.
    this.ready.catch(() => {});
  }

  /** Lets the agent hand over what it holds, then ends it. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    // `close`, not `exit`: its last output is read, too.
    const ended = new Promise((resolve) => child.once("close", resolve));
    let impatience = setTimeout(() => {
      this.#say(
        `The agent did not stop within ${DRAIN_MS / 1000} s and is killed. Its spool keeps the signals that it had not sent.`,
      );
      child.kill("SIGTERM");
      impatience = setTimeout(() => {
        child.kill("SIGKILL");
        // Commands that the agent had started may hold its output open: do not wait for them.
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, LAST_WORDS_MS);
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
      // A process group of its own: Ctrl-C in the terminal would otherwise stop the agent at the same time as
      // us, and again when we do. It ends when the channel to us does, should we be killed.
      detached: true,
    });
    this.#child = child;
    this.#relay(child.stdout);
    this.#relay(child.stderr);
    let link: AgentReport["link"] = { state: "starting", detail: "its sources are not up yet" };
    const impatience = setTimeout(() => this.#say(`The agent is waiting for its link: ${link.detail}`), PATIENCE_MS);
    child.on("message", (message) => {
      if (!isReport(message)) return;
      this.#reported = true;
      link = message.link;
      if (link.state !== "connected") return;
      clearTimeout(impatience);
      ready(message.sources);
    });
    child.once("error", (error) => failed(error));
    child.once("exit", (code, signal) => {
      clearTimeout(impatience);
      const how = code === null ? `by ${signal}` : `with code ${code}`;
      if (this.#stopping) {
        failed(new Error("The agent was stopped while it was starting."));
      } else if (this.#reported) {
        this.#restartLater(how, performance.now() - startedAt);
      } else {
        failed(new Error(`The agent ended ${how} before it was ready. Its output is above.`));
      }
    });
  }

  #restartLater(how: string, ranMs: number): void {
    this.#restarts = ranMs > SETTLED_MS ? 0 : this.#restarts + 1;
    const delayMs = Math.min(RESTART_FIRST_MS * 2 ** Math.max(this.#restarts - 1, 0), RESTART_MOST_MS);
    this.#say(`The agent ended ${how}. Restart in ${delayMs / 1000} s.`);
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

function isReport(message: unknown): message is AgentReport {
  if (typeof message !== "object" || message === null) return false;
  const { type, sources, link } = message as Partial<AgentReport>;
  return (type === "ready" || type === "status") && Array.isArray(sources) && typeof link?.state === "string";
}
