import * as z from "zod";
import type { BuiltInContext, BuiltInDefaults, Perform } from "./built-in.ts";
import { DEPLOYER, DeployerSettings, performDeployment } from "./deployer/deployer.ts";
import { DREAM_RUNNER, DreamRunnerSettings } from "./dream-runner.ts";
import { INTEGRATOR, IntegratorSettings, performIntegration } from "./integrator/integrator.ts";
import { INVESTIGATOR, InvestigatorSettings, performInvestigation } from "./investigator.ts";
import { performCommand } from "./run-command.ts";

/** A `run` of a reaction that names a built-in, with its settings. */
export const BuiltInRun = z.discriminatedUnion(
  "built_in",
  [DreamRunnerSettings, InvestigatorSettings, IntegratorSettings, DeployerSettings],
  "give a built-in: dream-runner, investigator, capability-integrator or winner-deployer",
);
export type BuiltInRun = z.infer<typeof BuiltInRun>;

export const BUILT_IN_DEFAULTS: Readonly<Record<BuiltInRun["built_in"], BuiltInDefaults>> = {
  "dream-runner": DREAM_RUNNER,
  investigator: INVESTIGATOR,
  "capability-integrator": INTEGRATOR,
  "winner-deployer": DEPLOYER,
};

export function openBuiltIn(run: BuiltInRun, context: BuiltInContext): Perform {
  switch (run.built_in) {
    case "dream-runner":
      return performCommand(run, context);
    case "investigator":
      return performInvestigation(run, context);
    case "capability-integrator":
      return performIntegration(run, context);
    case "winner-deployer":
      return performDeployment(run, context);
  }
}
