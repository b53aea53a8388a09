import type { Reporter, TestCase } from "vitest/node";

/** A line for each check as it ends, of text or, with `GANGLION_VM_JSON`, of JSON: {check, ok, seconds, error}. */
export default class CheckReporter implements Reporter {
  readonly #json = Boolean(process.env.GANGLION_VM_JSON);

  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    // Excluded by a name pattern.
    if (state === "skipped") return;
    const [ok, check] = [state === "passed", test.name];
    const seconds = Math.round((test.diagnostic()?.duration ?? 0) / 100) / 10;
    const error = errors.map(({ message }) => message).join("\n");
    if (this.#json) console.log(JSON.stringify({ check, ok, seconds, ...(error && { error }) }));
    else
      console.log(
        `${ok ? "ok  " : "FAIL"}  ${check} (${seconds} s)${error && `\n${error.replaceAll(/^/gm, "      ")}`}`,
      );
  }

  /** What the checks print beside: the journal after a failure. */
  onUserConsoleLog({ content }: { readonly content: string }): void {
    process.stderr.write(content);
  }

  /** Failures outside of the checks, such as a machine that does not boot. */
  onTestRunEnd(
    modules: Parameters<NonNullable<Reporter["onTestRunEnd"]>>[0],
    unhandled: readonly { message?: string }[],
  ) {
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    for (const { message } of [...suites.flatMap((suite) => suite.errors()), ...unhandled]) console.error(message);
  }
}
