import { statSync } from "node:fs";
import { Command } from "commander";
import { ExpectedError } from "../base/service.ts";
import { missingPrograms } from "./missing-programs.ts";
import type { Problem } from "./problems.ts";
import { type Loaded, loadSettings, problemText } from "./settings.ts";

/** `ganglion-agent check`: lists every problem of the settings with its place and its fix. Exit code 1 when there are errors. */
export function checkCommand(): Command {
  return new Command("check")
    .description("check the settings and explain every problem with its place and its fix")
    .option("--config <file>", "file of settings (default: GANGLION_CONFIG)")
    .option(
      "--json",
      "JSON for programs: {file, ok, problems: [{severity, where, message, file, line, column}], intelligence}",
    )
    .action(({ config, json }: { config?: string; json?: true }) => {
      const { file, problems, asking } = check(config);
      const ok = !problems.some(({ severity }) => severity === "error");
      if (json) console.log(JSON.stringify({ file: file ?? null, ok, problems, intelligence: asking }));
      else for (const line of [...report(file, problems), ...shown(asking)]) console.log(line);
      process.exitCode = ok ? 0 : 1;
    });
}

function check(config: string | undefined): Pick<Loaded, "file" | "problems" | "asking"> {
  try {
    const { file, problems, settings, asking } = loadSettings(process.env, process.cwd(), config);
    const missing = settings === undefined ? [] : missingPrograms(settings, process.env);
    return { file, problems: [...problems, ...fileWarnings(file), ...missing], asking };
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error;
    return { file: config, problems: [{ severity: "error", where: "--config", message: error.message }], asking: [] };
  }
}

/** The file contains commands that the agent runs: anyone who can write to it can run commands as the agent. */
function fileWarnings(file: string | undefined): Problem[] {
  if (file === undefined || (statSync(file).mode & 0o002) === 0) return [];
  return [
    {
      severity: "warning",
      where: "the file",
      message: `any user of this machine can change it: run chmod o-w ${file}`,
      file,
      line: 1,
      column: 1,
    },
  ];
}

function report(file: string | undefined, problems: readonly Problem[]): string[] {
  const from = file === undefined ? "the environment alone (no file)" : file;
  if (problems.length === 0) return [`The settings are valid: ${from}`];
  const inOrder = [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  return inOrder.map((problem) => `${problem.severity === "warning" ? "warning: " : ""}${problemText(problem)}`);
}

/** What counts for those who ask about code, and where it comes from. Nothing where all of it is the default. */
function shown(asking: Loaded["asking"]): string[] {
  if (asking.every(({ origin }) => origin === "default")) return [];
  const width = Math.max(...asking.map(({ name }) => name.length));
  const textOf = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  return [
    "",
    "Questions about code (docs/intelligence.md):",
    ...asking.map(({ name, value, origin }) => `  ${name.padEnd(width)}  ${textOf(value)}  (${origin})`),
  ];
}
