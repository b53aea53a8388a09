import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { DeadLetter } from "../../../src/core/dead-letters/dead-letter.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { first, within } from "../../harness/until.ts";
import { connectPublisher } from "../../integration/bus/bus-parts.ts";
import { atOnce } from "../at-once.ts";
import { Rng } from "../rng.ts";
import { pagesOfLog } from "../what-is-kept.ts";
import type { Amounts } from "./amounts.ts";
import { Calls, type CallsOutcome } from "./calls.ts";
import { Flows } from "./flows.ts";
import { QUEUE } from "./host-config.ts";
import { COUNTED, Ledger } from "./ledger.ts";
import { Machines } from "./machines.ts";
import { type Fault, planFaults } from "./plan.ts";

export interface SoakOptions {
  readonly seed: number;
  readonly kills: number;
  readonly amounts: Amounts;
  readonly say?: (line: string) => void;
}

export interface SoakOutcome {
  /** The whole log, counted. */
  readonly ledger: Ledger;
  readonly happened: Readonly<Partial<Record<Fault, number>>>;
  /** How often a task ended the worker that had taken it. */
  readonly crashes: number;
  /** How tasks ended, where not as they should have; each ends once. */
  readonly wrongTasks: readonly unknown[];
  readonly deadLetters: readonly DeadLetter[];
  readonly calls: CallsOutcome;
  readonly spooled: ReadonlySet<number>;
  /** How often the commands were begun, by what for. */
  readonly runs: Readonly<Record<"reactions" | "tasks" | "dropped", number>>;
}

/** Longest wait for what was sent to be sent, and for all of it to be over: a long run has as much left as a short one. */
const SENT_MS = 600_000;
const REST_MS = 600_000;

/**
 * A bad day in short: processes are killed, the network cut, disks filled, a host's state set back and cloned, in an order
 * that the seed gives, while signals, intents, tasks, reactions, dropped files and calls flow, spoiled ones among them.
 * Then everything is left alone until it has come to rest.
 */
export async function soak({ seed, kills, amounts, say = () => {} }: SoakOptions): Promise<SoakOutcome> {
  const rng = new Rng(seed);
  const machines = await Machines.open(rng);
  if (!machines.canFill) say("no disk of its own may be mounted here: no disk is filled");
  await machines.start();
  const client = () => machines.client();
  const { url, token } = machines.edge;
  const publisher = await connectPublisher(machines.bus.xsub);
  const calls = new Calls({ url, token, client, seed: seed + 2 });
  const tasks = join(machines.home, "drop", "tasks");
  const intents = [machines.intents("host"), machines.intents("neighbour")] as const;
  const flows = new Flows({ amounts, seed: seed + 1, client, publisher, calls, intents, tasks });

  const plan = planFaults(rng, kills, machines.canFill);
  const happened: Partial<Record<Fault, number>> = {};
  const beganMs = performance.now();
  const tell = (text: string) => say(`${Math.round((performance.now() - beganMs) / 1_000)} s: ${text}`);
  let before: Promise<unknown> = Promise.resolve();
  for (const [round, fault] of plan.entries()) {
    const sent = flows.send(round, plan.length);
    await pause(rng.between(20, 500));
    tell(`${round + 1} of ${plan.length}: ${fault}`);
    await machines.inflict(fault);
    happened[fault] = (happened[fault] ?? 0) + 1;
    // The faults wait for the flows, so that they meet all of these on a machine of any speed.
    await within(before, "what was to be sent before this fault", SENT_MS);
    before = sent;
  }
  await within(before, "everything to be sent", SENT_MS);
  publisher.close();
  tell("everything is sent; waiting for it to come to rest");
  await untilRest(machines, amounts);
  tell("everything is over but the calls");
  const callsOutcome = await within(calls.ended(), "all calls to end", REST_MS);
  tell("the hosts hand over what they hold");
  await machines.comeToRest();
  tell("counting");
  const ledger = new Ledger(amounts, machines.droppedBeside);
  for await (const signal of pagesOfLog(machines.edge)) ledger.take(signal);
  const outcome = {
    ledger,
    happened,
    crashes: machines.crashes,
    wrongTasks: await wrongTasks(machines, amounts),
    deadLetters: await deadLettersOf(machines),
    calls: callsOutcome,
    spooled: machines.spooled,
    runs: { reactions: machines.runs("reactions"), tasks: machines.runs("tasks"), dropped: machines.runs("dropped") },
  };
  await machines.edge.process.stop();
  return outcome;
}

/** Resolves when the log says of everything that it is there, or over. */
async function untilRest(machines: Machines, amounts: Amounts): Promise<void> {
  const soFar = new Ledger(amounts, machines.droppedBeside);
  const isLast = (signal: Signal) => {
    soFar.count(signal);
    return soFar.complete;
  };
  const follow = machines.client().follow({ after: 0, signals: [...COUNTED] });
  await first(follow, isLast, "everything to be done", REST_MS).catch((error: Error) => {
    const missing = soFar.faults().slice(0, 20).join("\n");
    throw new Error(`${error.message}; so far ${JSON.stringify(soFar.summary())}\n${missing}\n${machines.lastLines()}`);
  });
}

async function wrongTasks(machines: Machines, amounts: Amounts): Promise<unknown[]> {
  const { queues } = machines.client();
  const numbered = (queue: string, name: string, count: number, status: string) =>
    Array.from({ length: count }, (_, n) => ({ queue, id: `${name}-${n + 1}`, status }));
  const sent = [
    ...numbered(QUEUE, "task", amounts.tasks, "complete"),
    ...numbered("work", "work", amounts.worked, "complete"),
    ...numbered("work", "spoiled", amounts.spoiled, "failed"),
  ];
  const found = await atOnce(sent, 16, async ({ queue, id, status }) => {
    const task = await queues.task(queue, id);
    const endings = task.history.filter(({ event }) => ENDINGS.has(event));
    return task.status === status && endings.length === 1 ? [] : [{ id, status: task.status, endings }];
  });
  return found.flat();
}

const ENDINGS: ReadonlySet<string> = new Set(["complete", "failed", "cancelled", "expired"]);

async function deadLettersOf(machines: Machines): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  let after: string | undefined;
  do {
    const page = await machines.client().deadLetters.list({ after, limit: 100 });
    found.push(...page.dead_letters);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return found;
}
