import { Command } from "commander";
import type { Client } from "../../src/client/client.ts";
import { ApiProblem } from "../../src/client/http/problem-errors.ts";
import { ALERTS_ENDPOINT } from "../../src/core/policy/rule-packs.ts";
import type { NamedExcess } from "../../src/core/quotas/excess.ts";
import { clock, print, printFields } from "../output.ts";
import { clientFor, type GlobalOptions } from "../settings.ts";
import { budgetText, leftOutField } from "./budget.ts";
import { behindFields, exportFields, sizeFields } from "./status-sizes.ts";
import { localAgents, printAgents } from "./supervisor/supervisor.ts";

export const statusCommand = () =>
  new Command("status")
    .summary("an ecosystem at a glance: edge, hosts, queues, gaps, dead letters; and the agents of this machine")
    .addHelpText(
      "after",
      "\nWith --json: one document, about the ecosystem alone; for agents see `ganglion ps --json`.",
    )
    .action(async (_options: object, command: Command) => {
      const client = clientFor(command);
      const status = await gather(client);
      if (command.optsWithGlobals<GlobalOptions>().json === true) return print(JSON.stringify(status));
      const { ecosystem, edge, log, window, gaps, hosts, queues, policies, over_quota, dead_letters } = status;
      const rate = status.dead_letters_per_1000 ?? null;
      await printFields({
        ecosystem,
        edge: edge.ready ? "ready" : `not ready: ${edge.reason}`,
        signals: `${log.head_seq} (${log.signals_last_minute} in the last minute)`,
        "oldest kept": log.oldest_seq,
        ...logSize(log),
        ...(log.damaged === undefined ? {} : { "damaged rows of the log": damageText(log.damaged) }),
        ...(log.budget === undefined ? {} : { budget: budgetText(log.budget), ...leftOutField(log.budget) }),
        ...behindFields(status),
        ...sizeFields(status, queues),
        subscribers: log.subscribers,
        window: `${window.size} observations in ${window.seconds} s`,
        "open gaps": gaps.open,
        hosts: hosts
          .filter(({ state }) => state === "up")
          .map(({ host }) => host)
          .join(" "),
        ...Object.fromEntries(
          hosts
            .filter(({ state }) => state === "down")
            .map(({ host, since, reason }) => [`host ${host}`, `down since ${clock(since)} (${reason})`]),
        ),
        ...Object.fromEntries(
          hosts
            .filter(({ alerts }) => alerts.length > 0)
            .map(({ host, alerts }) => [`alerts ${host}`, alerts.join(" ")]),
        ),
        ...Object.fromEntries(
          queues.map(({ name, depth, running, verifying, parked, alerts }) => [
            `queue ${name}`,
            `${depth} queued${parked === 0 ? "" : ` (${parked} parked)`}, ${running} running${verifying === 0 ? "" : `, ${verifying} to be judged`}${alerts.length === 0 ? "" : `, alerts: ${alerts.join(" ")}`}`,
          ]),
        ),
        // An edge of an earlier version does not say.
        ...((policies?.quarantined ?? []).length === 0
          ? {}
          : { "quarantined rules": `${policies?.quarantined.join(" ")}; see \`ganglion policy list\`` }),
        ...Object.fromEntries((over_quota ?? []).map((one) => [`over quota ${senderText(one)}`, excessText(one)])),
        ...exportFields(status),
        ...(status.alerts_endpoint === false ? { alerts: NOBODY_IS_TOLD } : {}),
        ...Object.fromEntries((policies?.unheard ?? []).map((one) => [`unheard ${one.endpoint}`, unheardText(one)])),
        "dead letters": rate === null ? dead_letters : `${dead_letters} (${rate} for 1,000 signals)`,
      });
      const supervised = await localAgents();
      if (supervised.length === 0) return;
      await print("");
      await printAgents(supervised, "");
    });

/** Rules of operations go to this endpoint, see docs/policies.md. */
const NOBODY_IS_TOLD = `nobody is told: there is no webhook endpoint ${ALERTS_ENDPOINT}; add it with \`ganglion webhooks add ${ALERTS_ENDPOINT} <url>\``;

const unheardText = ({ endpoint, messages }: { endpoint: string; messages: number }) =>
  `${messages} optional messages reached nobody; add the endpoint with \`ganglion webhooks add ${endpoint} <url>\``;

/** An edge of an earlier version does not say how large its log is. */
function logSize({ database_bytes, limit_bytes, dropped_for_size }: Awaited<ReturnType<Client["status"]>>["log"]) {
  if (limit_bytes === 0) return {};
  const dropped =
    dropped_for_size === 0 ? "" : `; ${dropped_for_size} signals dropped before their time for want of room`;
  return { "size of the log": `${gigabytes(database_bytes)} of ${gigabytes(limit_bytes)} GB${dropped}` };
}

const damageText = ({ rows, first }: NonNullable<Awaited<ReturnType<Client["status"]>>["log"]["damaged"]>) =>
  `${rows}, left out: ${first.map(({ part, place }) => `${part} ${place}`).join(", ")}`;

const gigabytes = (bytes: number) => String(Number((bytes / 1e9).toPrecision(3)));

/** A source is free text, and may hold what a terminal takes for a command. */
const senderText = ({ sender, source, token_name }: NamedExcess) =>
  `${sender}${token_name === undefined ? "" : ` (${token_name})`} ${JSON.stringify(source)}`;

const excessText = ({ quota, refused, limit, setting, last_at }: NamedExcess) =>
  `${refused} ${quota} gave way, last at ${clock(last_at)}; limit ${limit} (${setting})`;

/** Everything at once; each part is one call. */
async function gather(client: Client) {
  const [status, edge, agents, queues, alerts_endpoint] = await Promise.all([
    client.status(),
    readiness(client),
    client.agents.list(),
    queueDepths(client),
    hasAlertsEndpoint(client),
  ]);
  return {
    ...status,
    edge,
    hosts: agents.map(({ host, state, since, reason, last_seen, alerts }) => ({
      host,
      state,
      since,
      reason,
      last_seen,
      alerts: alerts.map(({ subject }) => subject),
    })),
    queues,
    alerts_endpoint,
  };
}

/** @returns `null` where the edge does not say */
async function hasAlertsEndpoint({ webhooks }: Client): Promise<boolean | null> {
  try {
    return (await webhooks.list()).some(({ id, enabled }) => id === ALERTS_ENDPOINT && enabled);
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    return null;
  }
}

async function readiness(client: Client): Promise<{ ready: boolean; reason: string | null }> {
  try {
    await client.ready();
    return { ready: true, reason: null };
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    return { ready: false, reason: error.problem.detail ?? error.problem.title };
  }
}

async function queueDepths({ queues }: Client) {
  return Promise.all(
    (await queues.list()).map(async ({ name }) => {
      const {
        depth,
        running,
        verifying = 0,
        parked = 0,
        oldest_age_ms,
        alerts,
        database_bytes,
        heap,
      } = await queues.status(name);
      const raised = alerts.map(({ rule, subject }) => `${rule}:${subject}`);
      return { name, depth, running, verifying, parked, oldest_age_ms, alerts: raised, database_bytes, heap };
    }),
  );
}
