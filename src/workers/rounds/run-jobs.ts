import type { RoundJob } from "../../core/hosts/monitors/round-jobs.ts";
import { logLine } from "../../durable-objects/shell/log-line.ts";
import { closeSockets } from "../api/access/close-sockets.ts";
import { countSpent } from "../api/deployment/account.ts";
import type { Environment } from "../bindings/environment.ts";
import { agentRegistry, signalLog, telemetry } from "../bindings/objects.ts";

/** From one round to the next, as hosts are told. */
const ROUND_MS = 60_000;
/** Jobs under way at a time: hosts are waited for, and not all of them at once. */
const AT_ONCE = 64;

/** Carries out jobs of a round. One that fails is named in the log, and keeps no other waiting. */
export async function carryOut(env: Environment, jobs: readonly RoundJob[]): Promise<void> {
  const rest = jobs.values();
  const work = async () => {
    for (const job of rest) {
      try {
        await carryOutOne(env, job);
      } catch (error) {
        logLine("warn", "round-job-failed", { ecosystem: job.ecosystem, job: job.what, error });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function carryOutOne(env: Environment, job: RoundJob): Promise<void> {
  const { ecosystem } = job;
  const log = () => signalLog(env, ecosystem);
  switch (job.what) {
    case "nudge":
      return void (await log().nudge());
    case "retain":
      return void (await log().retain());
    case "ask":
      return void (await agentRegistry(env, ecosystem).tick(ROUND_MS));
    case "count":
      return void (await countSpent(env, ecosystem, Date.now()));
    case "export":
      return void (await telemetry(env, ecosystem).tick());
    case "close":
      return closeSockets(env, job.token, [ecosystem]);
  }
}
