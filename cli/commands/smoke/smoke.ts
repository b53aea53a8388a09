import { Command } from "commander";
import { seconds } from "../../arguments.ts";
import { Failure } from "../../failure.ts";
import { cellText, print } from "../../output.ts";
import { edgeFor, type GlobalOptions } from "../../settings.ts";
import { type SmokeStep, smoke } from "./run.ts";

const DEFAULT_SECONDS = 30;

export const smokeCommand = () =>
  new Command("smoke")
    .summary("try a deployment: emit, follow, decide, lease, with the time that each takes")
    .description(
      "Try an edge from end to end, such as after a deployment: a signal is emitted and followed, a rule decides on it, and a " +
        "worker leases the rule's task. All of it happens in an ecosystem of its own, which is deleted at the end. Needs a " +
        "token with the scope admin.",
    )
    .argument("[url]", "URL of the edge (default: as for other commands)")
    .option("--timeout <time>", `longest time of each step (default: ${DEFAULT_SECONDS}s)`, seconds(1, 3_600))
    .addHelpText("after", "\nWith --json: one document, {url, ecosystem, ok, steps: [{step, ok, ms, error}]}.")
    .action(async (url: string | undefined, { timeout = DEFAULT_SECONDS }: { timeout?: number }, command: Command) => {
      const json = command.optsWithGlobals<GlobalOptions>().json === true;
      const edge = edgeFor(command, url);
      const report = await smoke({
        ...edge,
        timeoutMs: timeout * 1_000,
        onStep: (step) => (json ? undefined : print(line(step))),
      });
      if (json) await print(JSON.stringify({ url: edge.url, ...report }));
      const failed = report.steps.filter(({ ok }) => !ok);
      if (failed.length > 0)
        throw new Failure(`${edge.url}: failed at ${failed.map(({ step, error }) => `${step}: ${error}`).join("; ")}`);
    });

function line({ step, ok, ms, does, error }: SmokeStep): string {
  const time = ok ? `${ms.toFixed(0).padStart(8)} ms` : "FAILED";
  return `${step.padEnd(8)}  ${time.padEnd(11)}  ${cellText(ok ? does : error)}`;
}
