import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

/** How a run ended, beside its tests. */
export interface RunEnd {
  /** Files whose runtime ended before their tests had. */
  readonly cutOff: readonly string[];
  /** Errors outside of tests, but for those that say that a runtime ended. */
  readonly errors: readonly string[];
}

/** What the pool says of a runtime that has ended by itself, and of the file that was under way. */
const RUNTIME_ENDED = /Worker exited unexpectedly .*while running test file (.+)/;

/** Leaves a {@link RunEnd} in the file that `GANGLION_RUN_END` names. */
export default class RunEndReporter implements Reporter {
  onTestRunEnd(_modules: readonly TestModule[], unhandled: readonly { message?: string; cause?: unknown }[]): void {
    const errors: string[] = [];
    const cutOff: string[] = [];
    for (const { message = "", cause } of unhandled) {
      const reason = String((cause as Error | undefined)?.message ?? "");
      const [, file] = RUNTIME_ENDED.exec(reason) ?? [];
      if (file === undefined) errors.push(message);
      else cutOff.push(file.trim());
    }
    const end = process.env.GANGLION_RUN_END;
    if (end !== undefined) writeFileSync(end, JSON.stringify({ cutOff, errors } satisfies RunEnd));
  }
}
