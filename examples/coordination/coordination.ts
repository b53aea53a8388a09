import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Client, createClient } from "../../src/client/package/index.ts";
import { openSocketSource } from "../../src/client/package/node.ts";
import type { QueueEvent } from "../../src/core/queue/api.ts";
import { type Edge, Fleet, HOSTS } from "./fleet.ts";
import { FakeProvider } from "./provider.ts";
import { type Row, rowsOf, table } from "./summary.ts";
import { readIndex, readJournal } from "./tree.ts";

const { values: options } = parseArgs({
  options: { interactive: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
});

const QUEUE = "coordination";
const PLAN = { topics: 12, steps: 3 };
const TERMS = { concurrency: 2, plan: 15, renewedAfterMs: 2_500, thinksMs: 60 };
const BUDGET_USD = 1;
/** The scout that has this topic first dies after a step. */
const DEADLY = 3;
/** All is over within this time, unless a person answers. */
const PATIENCE_MS = 120_000;

function say(step: string, facts: object = {}): void {
  const words = Object.entries(facts).map(
    ([name, fact]) => `${name} ${typeof fact === "string" ? fact : JSON.stringify(fact)}`,
  );
  console.log(options.json ? JSON.stringify({ step, ...facts }) : [step, ...words].join(", "));
}

const broken = Promise.withResolvers<never>();
const fleet = new Fleet((what) => broken.reject(new Error(what)));
for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.once(signal, () => broken.reject(new Error(`ended by ${signal}`)));
const tooLate = () => broken.reject(new Error(`not over within ${PATIENCE_MS / 1_000} s`));
const patience = options.interactive ? undefined : setTimeout(tooLate, PATIENCE_MS);

const provider = new FakeProvider(TERMS);
const stopping = new AbortController();
let rows: readonly Row[] = [];
let failure: unknown;
try {
  rows = await Promise.race([play(), broken.promise]);
} catch (error) {
  failure = error;
}
clearTimeout(patience);
stopping.abort();
await fleet.stop();
provider.close();
if (failure !== undefined) console.error(failure instanceof Error ? failure.message : failure);
else if (options.json) say("summary", { rows });
else console.log(`\n${table(rows)}`);
process.exit(failure === undefined && rows.every(({ holds }) => holds) ? 0 : 1);

async function play(): Promise<Row[]> {
  const edge = await fleet.edge(`coordination-${Date.now().toString(36)}`);
  const client = createClient({ ...edge, openSource: openSocketSource });
  const tree = join(fleet.directory, "tree");
  mkdirSync(tree);
  say("the edge is ready", { url: edge.url, ecosystem: edge.ecosystem });
  const limit = { concurrency: TERMS.concurrency, usd_per_day: BUDGET_USD, ramp_seconds: 1 };
  await client.limits.put("provider", limit);
  await client.queues.put(QUEUE, topics());
  const environment = { COORDINATION_PROVIDER: await provider.listen(), COORDINATION_TREE: tree };
  for (const [host, agents] of Object.entries(HOSTS)) {
    fleet.startHost(host, edge, environment);
    say("a host starts", { host, agents: Object.keys(agents) });
  }
  const parked = watchLimit(client);
  await finished(client, "WRITE", PLAN.topics);
  say("all pages are written", { pages: readIndex(tree).length });

  const release = { task_id: "release", recipient: "releaser", type: "RELEASE", payload: { pages: PLAN.topics, tree } };
  await client.queues.put(QUEUE, [release]);
  await approve(client, edge);
  await finished(client, "RELEASE", 1);
  // What the hosts hold of the limit for further calls is no bill: it comes back.
  await fleet.stopHosts();
  const [ended, known, question] = await Promise.all([
    client.queues.finished(QUEUE, { limit: 100 }),
    client.limits.show("provider"),
    client.questions.show("release-release"),
  ]);
  return rowsOf({
    plan: PLAN,
    terms: TERMS,
    provider,
    limit: known,
    parked: parked(),
    journal: readJournal(tree),
    index: readIndex(tree),
    question,
    tasks: ended.tasks,
  });
}

/** A topic for each scout task. Each waits while the limit of the provider is closed. */
function topics() {
  return Array.from({ length: PLAN.topics }, (_, place) => ({
    task_id: `topic-${place + 1}`,
    recipient: "scout",
    type: "SCOUT",
    limits: ["provider"],
    max_attempts: 5,
    payload: { steps: PLAN.steps, ...(place + 1 === DEADLY && { dies_after: 1 }) },
  }));
}

/** Tells when the limit closes and opens. @returns how many tasks were parked when it closed */
function watchLimit(client: Client): () => number {
  let parked = 0;
  const watch = async () => {
    const signals = ["Q_LIMIT_CLOSED", "Q_LIMIT_OPENED"];
    for await (const { signal, facts } of client.follow({ signals, after: 0, signal: stopping.signal })) {
      if (signal === "Q_LIMIT_CLOSED") {
        parked = Math.max(parked, await countParked(client));
        say("the limit is closed for all", { why: facts.reason, until: facts.until, parked });
      } else say("the limit is open again");
    }
  };
  watch().catch((error: unknown) => stopping.signal.aborted || broken.reject(error));
  return () => parked;
}

/** How many tasks are parked. The queue learns of the closing at the same time as this script, and may be later. */
async function countParked(client: Client): Promise<number> {
  for (let looks = 0; looks < 10; looks++) {
    const { tasks } = await client.queues.tasks(QUEUE, { status: "queued", limit: 100 });
    const parked = tasks.filter(({ parked_until }) => parked_until !== undefined).length;
    if (parked > 0) return parked;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return 0;
}

/** Waits until so many tasks of a type are complete, and tells of each. */
async function finished(client: Client, type: string, count: number): Promise<void> {
  const done = new Set<string>();
  for await (const event of client.queues.follow(QUEUE, { tail: 1_000, signal: stopping.signal })) {
    if (event.type !== type) continue;
    tell(event);
    if (event.event === "complete") done.add(event.task_id);
    if (done.size === count) return;
  }
}

function tell({ event, task_id, worker = "a worker", error }: QueueEvent): void {
  if (event === "complete") say(`${task_id} is done`, { by: worker });
  else if (error !== undefined && event !== "parked") say(`${task_id}: ${event}`, { by: worker, error });
  if (event === "failed") broken.reject(new Error(`the task ${task_id} has failed`));
}

/** The question of the releaser is answered by the command line, or by whoever plays. */
async function approve(client: Client, edge: Edge): Promise<void> {
  for await (const { facts } of client.follow({ signals: ["Q_QUESTION_ASKED"], after: 0, signal: stopping.signal })) {
    const id = String(facts.question_id);
    say("a question waits for ops", { id, question: String(facts.question) });
    if (!options.interactive) {
      await fleet.command(edge, ["questions", "answer", id, "yes", "--comment", "read it"]);
      return;
    }
    const { path } = await client.sessions.createCode(true);
    // The token itself stands in no line: who plays has it, or may read it.
    const whose =
      edge.tokenFile === undefined ? "" : `GANGLION_URL=${edge.url} GANGLION_TOKEN=$(cat ${edge.tokenFile}) `;
    say("answer it", {
      dashboard: `${edge.url}${path}`,
      view: `${edge.url}/app/${edge.ecosystem}/coordination?tab=questions`,
      command: `${whose}npx ganglion questions answer ${id} yes --ecosystem ${edge.ecosystem}`,
    });
    await client.questions.wait(id, { signal: stopping.signal });
    return;
  }
}
