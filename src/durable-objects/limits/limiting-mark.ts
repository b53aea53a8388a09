import { logLine } from "../shell/log-line.ts";
import { RETRY_MS } from "../shell/outbox-relay.ts";
import { objectNamed } from "../shell/ports.ts";
import type { LimitStore } from "./limit-store.ts";
import type { LimitsBindings } from "./ports.ts";

interface LimitingMarkOptions {
  readonly env: LimitsBindings;
  readonly ecosystem: string;
  readonly notes: LimitStore["notes"];
  readonly wakeBy: (atMs: number) => void;
}

/** Lets the directory know whether there are limits: nobody asks an ecosystem that has none what is closed. */
export class LimitingMark {
  readonly #options: LimitingMarkOptions;

  constructor(options: LimitingMarkOptions) {
    this.#options = options;
  }

  async update(any: boolean): Promise<void> {
    const { env, ecosystem, notes, wakeBy } = this.#options;
    if (any === (notes.read("listed") === "1")) return;
    try {
      await objectNamed(env.DIRECTORY, "directory", env).mark("limiting", ecosystem, any);
      notes.write("listed", any ? "1" : "0");
    } catch (error) {
      // The next alarm repeats the call.
      logLine("warn", "limits-not-listed", { ecosystem, object: "limits", error });
      wakeBy(Date.now() + RETRY_MS);
    }
  }
}
