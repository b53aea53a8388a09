import type { Client } from "../../../src/client/client.ts";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";
import type { DeadLetter } from "../../../src/core/dead-letters/dead-letter.ts";
import type { Lineage } from "../../../src/core/lineage/api.ts";
import { Failure } from "../../failure.ts";

/** What an id names, and the signal whose chain shows how it came to that. */
interface Subject {
  /** A line about what was found; absent for a signal, which its chain shows. */
  readonly about?: string;
  /** Absent: no signal led to it. */
  readonly signal?: string;
}

/** A chain, and what it was asked about where that is no signal. */
export interface Explained {
  readonly about?: string;
  readonly lineage: Lineage;
}

/** Pages of decisions, a thousand each, that are searched for the id of one. */
const DECISION_PAGES = 20;

/**
 * Finds what an id or a number names: a signal by its id or its sequence number, a task, a delivery of a webhook, a dead
 * letter, a gap by its name or fingerprint, or a decision.
 *
 * @throws Failure where nothing has this id
 */
export async function lineageOf(client: Client, id: string, queue?: string): Promise<Explained> {
  const isNumber = /^\d{1,15}$/.test(id);
  const own = isNumber ? undefined : await found(client.lineage(id));
  if (own !== undefined) return { lineage: own };
  const { about, signal } = isNumber ? await signalAt(client, Number(id)) : await findSubject(client, id, queue);
  if (signal === undefined) throw new Failure(`${about}. No signal led to it: there is no chain to show`);
  return { ...(about === undefined ? {} : { about }), lineage: await client.lineage(signal) };
}

async function findSubject(client: Client, id: string, queue: string | undefined): Promise<Subject> {
  const search = [gapCalled, deadLetterCalled, taskCalled, deliveryCalled, decisionCalled];
  const subjects = await Promise.all(search.map((find) => find(client, id, queue)));
  const subject = subjects.find((one) => one !== undefined);
  if (subject !== undefined) return subject;
  throw new Failure(
    `Nothing is called ${JSON.stringify(id)}: no signal, task, delivery, dead letter, gap or decision that is still kept. ` +
      "Ids are shown by `ganglion signals`, `ganglion tasks list` and `ganglion dlq`",
  );
}

async function signalAt({ signals }: Client, seq: number): Promise<Subject> {
  const page = seq === 0 ? [] : (await signals({ after: seq - 1, order: "asc", limit: 1 })).signals;
  if (page[0]?.seq === seq) return { signal: page[0].id };
  throw new Failure(`The log holds no signal ${seq}: see \`ganglion status\` for the oldest and the last number`);
}

async function gapCalled({ gaps }: Client, id: string): Promise<Subject | undefined> {
  const gap = (await gaps("all")).find(({ name, fingerprint }) => name === id || fingerprint === id);
  if (gap === undefined) return undefined;
  const { name, status, reason, signal_id } = gap;
  return { about: `gap ${name} (${status}): ${reason}`, ...(signal_id === undefined ? {} : { signal: signal_id }) };
}

async function deadLetterCalled({ deadLetters }: Client, id: string): Promise<Subject | undefined> {
  const letter = await found(deadLetters.show(id));
  if (letter === undefined) return undefined;
  const cause = causeOf(letter);
  const about = `dead letter ${id} (${letter.kind}, ${letter.daemon}): ${letter.error}`;
  return { about, ...(cause === undefined ? {} : { signal: cause }) };
}

/** A signal that failed has a chain of its own; a task or a message has that of its cause. */
function causeOf({ signal, task, webhook }: DeadLetter): string | undefined {
  return textIn(signal, "id") ?? textIn(task, "cause") ?? textIn(webhook, "cause");
}

function textIn(value: unknown, field: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const text: unknown = new Map<string, unknown>(Object.entries(value)).get(field);
  return typeof text === "string" ? text : undefined;
}

async function taskCalled({ queues }: Client, id: string, queue: string | undefined): Promise<Subject | undefined> {
  const names = queue === undefined ? (await queues.list()).map(({ name }) => name) : [queue];
  const tasks = await Promise.all(names.map(async (name) => ({ name, task: await found(queues.task(name, id)) })));
  const known = tasks.find(({ task }) => task !== undefined);
  if (known?.task === undefined) return undefined;
  const { status, recipient, type, error, cause, verifying, parked_reason, unplaced } = known.task;
  const waits = verifying?.why ?? parked_reason ?? unplaced ?? error;
  const why = waits === undefined ? "" : `: ${waits}`;
  const about = `task ${id} in ${known.name} for ${recipient} (${type}, ${status})${why}`;
  return { about, ...(cause === undefined ? {} : { signal: cause }) };
}

async function deliveryCalled({ webhooks }: Client, id: string): Promise<Subject | undefined> {
  for (const { id: endpoint } of await webhooks.list()) {
    const delivery = (await webhooks.deliveries(endpoint, 1_200)).find((one) => one.id === id);
    if (delivery === undefined) continue;
    const { state, last_error, cause } = delivery;
    const why = last_error === undefined ? "" : `: ${last_error}`;
    return {
      about: `delivery ${id} to ${endpoint} (${state})${why}`,
      ...(cause === undefined ? {} : { signal: cause }),
    };
  }
  return undefined;
}

async function decisionCalled({ decisions }: Client, id: string): Promise<Subject | undefined> {
  if (!/^d\d+$/.test(id)) return undefined;
  let after: string | undefined;
  for (let page = 0; page < DECISION_PAGES; page++) {
    const { decisions: some, next } = await decisions({ limit: 1_000, ...(after === undefined ? {} : { after }) });
    const decision = some.find((one) => one.id === id);
    if (decision !== undefined) {
      const { rule, rule_version, outcome, reason, signal } = decision;
      const why = reason === undefined ? "" : `: ${reason}`;
      return { about: `decision ${id} of ${rule} v${rule_version} (${outcome})${why}`, signal: signal.id };
    }
    if (next === null) break;
    after = next;
  }
  return undefined;
}

/** @returns `undefined` where the edge does not know it, or the token may not see it */
async function found<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiProblem && [403, 404, 422].includes(error.problem.status)) return undefined;
    throw error;
  }
}
