import { randomBytes } from "node:crypto";
import { createClient } from "../../../src/client/client.ts";
import { openSocketSource } from "../../../src/client/stream/socket-source.ts";
import { work } from "../../../src/client/work/worker.ts";
import { explain } from "../../failure.ts";

export interface SmokeStep {
  readonly step: string;
  readonly ok: boolean;
  /** How long it took; for what follows from the signal: since the signal was emitted. */
  readonly ms: number;
  /** What has been shown, for people. */
  readonly does: string;
  /** What went wrong, and what to look at. */
  readonly error?: string;
}

export interface SmokeOptions {
  readonly url: string;
  readonly token: string;
  readonly timeoutMs: number;
  readonly onStep: (step: SmokeStep) => Promise<void> | undefined;
}

export interface SmokeReport {
  readonly ecosystem: string;
  readonly ok: boolean;
  readonly steps: readonly SmokeStep[];
}

const RULE = {
  id: "smoke",
  when: "Q_SMOKE_TEST",
  then: [
    { emit: { signal: "Q_SMOKE_ANSWER", facts: { n: "facts.n" } } },
    { enqueue: { queue: "smoke", recipient: '"smoke"', type: "smoke", payload: { n: "facts.n" } } },
  ],
} as const;

const QUEUE_HINT =
  "the Worker's queues carry signals to the rules: are they there (wrangler queues list), and consumed?";

/**
 * Tries an edge from end to end in an ecosystem of its own, and deletes that again, whatever failed. A step that fails ends
 * the trial.
 */
export async function smoke(options: SmokeOptions): Promise<SmokeReport> {
  const ecosystem = `smoke-${randomBytes(8).toString("hex")}`;
  const { url, token } = options;
  const client = createClient({ url, token, ecosystem, openSource: openSocketSource });
  const steps = new Steps(options);
  try {
    await steps.take("ready", "the edge answers, and its objects do", () => client.ready());
    // Asked for before anything is made: with this right it can be deleted, too.
    await steps.take("token", "the token is an administrator's", () => client.tokens.list());
    steps.makes("delete", "nothing of the trial is left", () => remove(client, ecosystem));
    await steps.take("rule", "a rule is in force", () => client.policy.put(RULE.id, RULE));
    const stream = steps.own(new Stream(client));
    await steps.take("open", "a stream is open", () => stream.opened.promise);
    const taken = deferred<unknown>();
    const worker = work("smoke", "smoke", async (task) => taken.resolve(task.payload), { url, token, ecosystem });
    steps.own({ close: () => worker.stop() });

    steps.startClock();
    const n = Date.now();
    const { ids } = await steps.take("emit", "a signal is durable", () =>
      client.emit({ signal: RULE.when, source: "smoke", facts: { n } }),
    );
    const [id = ""] = ids;
    await steps.take("follow", "the stream has it", () => stream.tested.promise);
    await steps.take("decide", "the rule has answered it", () => stream.answered(id), QUEUE_HINT);
    await steps.take("lease", "a worker has the rule's task", () => taken.promise);
    await steps.take("finish", "the queue has the worker's result", () => worker.stop());
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
  } finally {
    await steps.end();
  }
  return { ecosystem, ok: steps.done.every(({ ok }) => ok), steps: steps.done };
}

type Client = ReturnType<typeof createClient>;

async function remove(client: Client, ecosystem: string): Promise<void> {
  await client.ecosystem.delete();
  const left = await client.ecosystem.list();
  if (left.some(({ name }) => name === ecosystem))
    throw new Error(
      `the ecosystem ${ecosystem} is still listed: ganglion ecosystem delete --ecosystem ${ecosystem} --yes`,
    );
}

class StepFailed extends Error {}

/** Takes steps one after the other, each within its time, and takes back what was made. */
class Steps {
  readonly done: SmokeStep[] = [];
  readonly #options: SmokeOptions;
  readonly #owned: { close(): Promise<void> | void }[] = [];
  readonly #interrupted = deferred<never>();
  readonly #interrupt = () => this.#interrupted.reject(new Error("interrupted"));
  #undo: (() => Promise<void>) | undefined;
  #clock: number | undefined;

  constructor(options: SmokeOptions) {
    this.#options = options;
    this.#interrupted.promise.catch(() => undefined);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, this.#interrupt);
  }

  /** From now on times count from here. */
  startClock(): void {
    this.#clock = performance.now();
  }

  /** Closed at the end, before anything is taken back. */
  own<Owned extends { close(): Promise<void> | void }>(owned: Owned): Owned {
    this.#owned.unshift(owned);
    return owned;
  }

  /** From now on there may be something to take back: `undo` is a step of its own at the end. */
  makes(step: string, does: string, undo: () => Promise<void>): void {
    this.#undo = () => {
      this.#clock = undefined;
      return this.take(step, does, undo, "", false);
    };
  }

  async take<Answer>(
    step: string,
    does: string,
    act: () => Promise<Answer>,
    hint = "",
    interruptible = true,
  ): Promise<Answer> {
    const { timeoutMs, onStep } = this.#options;
    const startedMs = this.#clock ?? performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not within ${timeoutMs / 1_000} s`)), timeoutMs);
    });
    const rivals = interruptible ? [late, this.#interrupted.promise] : [late];
    const took = () => Math.round((performance.now() - startedMs) * 10) / 10;
    try {
      const answer = await Promise.race([act(), ...rivals]);
      this.done.push({ step, ok: true, ms: took(), does });
      return answer;
    } catch (error) {
      const { text } = error instanceof Error && error.constructor === Error ? { text: error.message } : explain(error);
      this.done.push({ step, ok: false, ms: took(), does, error: hint === "" ? text : `${text}; ${hint}` });
      throw new StepFailed();
    } finally {
      clearTimeout(timer);
      const last = this.done.at(-1);
      if (last !== undefined) await onStep(last);
    }
  }

  async end(): Promise<void> {
    for (const owned of this.#owned) await Promise.race([owned.close(), pauseOf(this.#options.timeoutMs)]);
    try {
      await this.#undo?.();
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
    }
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, this.#interrupt);
  }
}

/** The signals of the trial, as a follower of the log gets them. */
class Stream {
  readonly opened = deferred<void>();
  readonly tested = deferred<void>();
  readonly #answered = deferred<string>();
  readonly #stopping = new AbortController();

  constructor(client: Client) {
    this.#read(client).catch((error: unknown) => {
      for (const { reject } of [this.opened, this.tested, this.#answered]) reject(error);
    });
    // Whichever step is not waited for any more must not end the process.
    for (const { promise } of [this.opened, this.tested, this.#answered]) promise.catch(() => undefined);
  }

  async #read(client: Client): Promise<void> {
    const { signal } = this.#stopping;
    const signals = client.follow({ after: 0, signals: ["Q_SMOKE_*"], signal, onOpen: () => this.opened.resolve() });
    for await (const { signal: name, cause } of signals) {
      if (name === RULE.when) this.tested.resolve();
      else this.#answered.resolve(cause ?? "");
    }
  }

  async answered(id: string): Promise<void> {
    const cause = await this.#answered.promise;
    if (cause !== id) throw new Error(`the rule's signal names "${cause}" as its cause, not the signal "${id}"`);
  }

  close(): void {
    this.#stopping.abort();
  }
}

interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

function deferred<Value>(): Deferred<Value> {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<Value>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}

/** Does not keep the process alive. */
function pauseOf(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
