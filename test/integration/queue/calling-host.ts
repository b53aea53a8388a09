import { setTimeout as pause } from "node:timers/promises";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";
import { openCaller } from "../../../src/client/work/caller.ts";

/**
 * A host whose programs call the recipient `oracle` until it answers, each over a channel of its own. One that is refused by
 * the breaker comes back when it was told to. Prints how each call ended, a line each.
 */
const { GANGLION_URL: url = "", GANGLION_TOKEN: token = "", CALLERS = "1" } = process.env;

async function callOn(): Promise<void> {
  const caller = openCaller("work", { url, token });
  for (;;) {
    const waitMs = await caller.call("oracle", "ASK", null, { timeoutMs: 60_000 }).then(
      () => {
        console.log("answered");
        return undefined;
      },
      (error: unknown) => {
        if (!(error instanceof ApiProblem)) throw error;
        const { type, retry_after_ms } = error.problem;
        console.log(type.slice("/problems/".length));
        return typeof retry_after_ms === "number" ? retry_after_ms : 0;
      },
    );
    if (waitMs === undefined) return;
    await pause(waitMs);
  }
}

process.once("disconnect", () => process.exit());
await Promise.all(Array.from({ length: Number(CALLERS) }, callOn));
