import * as z from "zod";
import type { BuiltInContext, BuiltInDefaults, RunAttempt } from "./built-in.ts";
import { commandReaction } from "./command-reaction.ts";
import { DEPLOYER, DeployerSettings, winnerDeployer } from "./deployer/deployer.ts";
import { DREAM_RUNNER, DreamRunnerSettings } from "./dream-runner.ts";
import { capabilityIntegrator, INTEGRATOR, IntegratorSettings } from "./integrator/integrator.ts";
import { INVESTIGATOR, InvestigatorSettings, investigator } from "./investigator.ts";

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

export function openBuiltIn(run: BuiltInRun, context: BuiltInContext): RunAttempt {
  switch (run.built_in) {
    case "dream-runner":
      return commandReaction(run, context);
    case "investigator":
      return investigator(run, context);
    case "capability-integrator":
      return capabilityIntegrator(run, context);
    case "winner-deployer":
      return winnerDeployer(run, context);
  }
}
