import { Command } from "commander";
import { ExpectedError } from "../../base/service.ts";
import { loadSettings, problemText } from "../../config/settings.ts";
import { edgeChecks } from "./edge-checks.ts";
import { type DoctorFinding, findingLine } from "./finding.ts";
import { hostChecks } from "./host-checks.ts";

/** `ganglion-agent doctor`: checks this host and prints a fix for each problem. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("check this host and print a fix for each problem")
    .option("--config <file>", "file of settings (default: GANGLION_CONFIG)")
    .option("--json", "JSON for programs: [{check, verdict, detail, fix}]")
    .addHelpText(
      "after",
      "\nVerdicts: ok, unknown (could not be checked), warning, error. Exit code: 1 when there are errors, else 0.",
    )
    .action(async ({ config, json }: { config?: string; json?: true }) => {
      const findings = await examine(config);
      if (json) console.log(JSON.stringify(findings));
      else for (const finding of findings) console.log(findingLine(finding));
      process.exitCode = findings.some(({ verdict }) => verdict === "error") ? 1 : 0;
    });
}

async function examine(config: string | undefined): Promise<DoctorFinding[]> {
  try {
    const { settings, problems, file } = loadSettings(process.env, process.cwd(), config);
    const found = problems.map(({ severity, ...problem }): DoctorFinding => {
      return { check: "settings", verdict: severity, detail: problemText({ severity, ...problem }) };
    });
    if (settings === undefined) return found;
    const right: DoctorFinding = {
      check: "settings",
      verdict: "ok",
      detail: file ?? "the environment alone (no file)",
    };
    const [edge, host] = await Promise.all([edgeChecks(settings), hostChecks(settings)]);
    return [right, ...found, ...edge, ...host];
  } catch (failure) {
    if (!(failure instanceof ExpectedError)) throw failure;
    return [{ check: "settings", verdict: "error", detail: failure.message }];
  }
}
