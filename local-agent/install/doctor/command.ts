import { Command } from "commander";
import { ExpectedError } from "../../base/service.ts";
import { loadSettings, problemText } from "../../config/settings.ts";
import { edgeChecks } from "./edge-checks.ts";
import type { DoctorFinding } from "./finding.ts";
import { hostChecks } from "./host-checks.ts";

const MARKS = { ok: "ok     ", warning: "warning", error: "ERROR  " } as const;

/** `ganglion-agent doctor`: what stands in the way on this host, and what to do. Exit code 1 where something does. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("find out what stands in the way on this host, and say what to do")
    .option("--config <file>", "the settings (default: GANGLION_CONFIG)")
    .option("--json", "for programs: [{check, verdict, detail, fix}]")
    .action(async ({ config, json }: { config?: string; json?: true }) => {
      const findings = await examine(config);
      if (json) console.log(JSON.stringify(findings));
      else for (const finding of findings) console.log(line(finding));
      process.exitCode = findings.some(({ verdict }) => verdict === "error") ? 1 : 0;
    });
}

async function examine(config: string | undefined): Promise<DoctorFinding[]> {
  try {
    const { settings, problems, file } = loadSettings(process.env, process.cwd(), config);
    const said = problems.map(({ severity, ...problem }): DoctorFinding => {
      return { check: "settings", verdict: severity, detail: problemText({ severity, ...problem }) };
    });
    if (settings === undefined) return said;
    const right: DoctorFinding = {
      check: "settings",
      verdict: "ok",
      detail: file ?? "the environment alone (no file)",
    };
    const [edge, host] = await Promise.all([edgeChecks(settings), hostChecks(settings)]);
    return [right, ...said, ...edge, ...host];
  } catch (failure) {
    if (!(failure instanceof ExpectedError)) throw failure;
    return [{ check: "settings", verdict: "error", detail: failure.message }];
  }
}

function line({ check, verdict, detail, fix }: DoctorFinding): string {
  return `${MARKS[verdict]} ${check}: ${detail}${fix === undefined ? "" : `\n        → ${fix}`}`;
}
