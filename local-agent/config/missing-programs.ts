import { accessSync, constants, statSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import type { Problem } from "./problems.ts";
import type { AgentSettings } from "./settings.ts";

/** A command of the settings, and where it runs. */
interface ConfiguredCommand {
  readonly where: string;
  /** Name of the setting that gives the directory. */
  readonly directorySetting: string;
  readonly program: string;
  readonly cwd: string;
  readonly path: string;
}

/**
 * Warnings about programs and directories of the settings that do not exist now. They may exist when the agent needs them,
 * so they are no errors.
 */
export function missingPrograms(settings: AgentSettings, environment: NodeJS.ProcessEnv): Problem[] {
  return commandsOf(settings, environment.PATH ?? "").flatMap((command): Problem[] => {
    const { where, directorySetting, program, cwd } = command;
    const warning = (at: string, message: string): Problem => ({ severity: "warning", where: at, message });
    if (!isDirectory(cwd)) return [warning(directorySetting, `the directory ${cwd} does not exist: create it`)];
    if (isExecutable(command)) return [];
    return [warning(where, `there is no program ${program} that may be executed: install it, or give its path`)];
  });
}

function commandsOf(settings: AgentSettings, path: string): ConfiguredCommand[] {
  const { configFile, stateDir } = settings;
  const base = configFile === undefined ? process.cwd() : dirname(configFile);
  const agents = Object.entries(settings.agents ?? {}).map(([name, { command, directory, environment }]) => ({
    where: `agents.${name}.command`,
    directorySetting: `agents.${name}.directory`,
    program: command[0],
    cwd: resolve(base, directory ?? "."),
    path: environment.PATH ?? path,
  }));
  const reactions = Object.entries(settings.reactions ?? {}).flatMap(([name, { run }]) =>
    "command" in run && run.command !== undefined
      ? [
          {
            where: `reactions.${name}.run.command`,
            directorySetting: `reactions.${name}.run.cwd`,
            program: run.command[0],
            cwd: resolve(base, run.cwd ?? "."),
            path: run.env.PATH ?? path,
          },
        ]
      : [],
  );
  const checks = Object.entries(settings.checks ?? {}).map(([name, { command, cwd, env }]) => ({
    where: `checks.${name}.command`,
    directorySetting: `checks.${name}.cwd`,
    program: command[0],
    cwd: resolve(base, cwd ?? "."),
    path: env.PATH ?? path,
  }));
  const { directory, run = [] } = settings.workers ?? {};
  const root = directory === undefined ? join(stateDir, "workers") : resolve(base, directory);
  const workers = run.map((worker, place) => ({
    where: `workers.run.${place}.command`,
    directorySetting: `workers.run.${place}.directory`,
    program: worker.command[0] ?? "",
    // The agent makes the root of the task directories.
    cwd: worker.directory ?? (isDirectory(root) ? root : base),
    path: worker.environment.PATH ?? path,
  }));
  return [...agents, ...reactions, ...checks, ...workers];
}

function isExecutable({ program, cwd, path }: ConfiguredCommand): boolean {
  // `node` means the Node that runs the agent.
  if (program === "node") return true;
  const places = program.includes("/") ? [resolve(cwd, program)] : path.split(delimiter).map((at) => join(at, program));
  return places.some((place) => {
    try {
      accessSync(place, constants.X_OK);
      return statSync(place).isFile();
    } catch {
      return false; // absent, or out of reach: the program cannot be run from there
    }
  });
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
