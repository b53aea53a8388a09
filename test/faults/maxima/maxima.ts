import { vi } from "vitest";
import { WebSocket } from "ws";
import type { HeapUse } from "../../../src/core/billing/heap-budget.ts";
import { LINK_PROTOCOL } from "../../../src/core/wire/link-frames.ts";
import { atEnd } from "../../harness/cleanup.ts";
import type { Amounts } from "./amounts.ts";
import { EdgeAtLimit } from "./edge-at-limit.ts";

/** What one maximum took. */
export interface Maximum {
  readonly name: string;
  readonly amount: number;
  readonly seconds: number;
  /** Resident memory of the runtime at its highest. */
  readonly rssMb: number;
  /** The state in memory by its own count, against its budget. */
  readonly heap: readonly HeapUse[];
  /** What became of the amount. */
  readonly outcome: string;
}

type Run = (edge: EdgeAtLimit, amount: number) => Promise<{ heap: readonly HeapUse[]; outcome: string }>;

const SIGNALS = 1_000;

/** Batches of a size, the last one smaller. */
function* batches(amount: number, size: number): Generator<{ from: number; count: number }> {
  for (let from = 0; from < amount; from += size) yield { from, count: Math.min(size, amount - from) };
}

const list = <Item>(count: number, item: (n: number) => Item) => Array.from({ length: count }, (_, n) => item(n));

/** Each producer sends one signal, over one link. */
const producers: Run = async (edge, amount) => {
  const socket = new WebSocket(`${edge.url.replace("http", "ws")}/v1/producers/link?host=h`, [LINK_PROTOCOL], {
    headers: { Authorization: `Bearer ${edge.token}` },
    perMessageDeflate: false,
  });
  atEnd(() => socket.terminate());
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  let [sent, answered] = [0, 0];
  await new Promise<void>((resolve, reject) => {
    const more = () => {
      for (; sent < amount && sent - answered < 400; sent++) {
        const signals = [{ signal: "Q_MAXIMUM", source: "h", facts: {} }];
        const producer = `h.e${sent}-${"x".repeat(40)}.local`;
        socket.send(JSON.stringify({ type: "append", batch: sent, producer, first: 1, signals }));
      }
    };
    socket.on("message", (data) => {
      const { type, problem } = JSON.parse(String(data)) as { type: string; problem?: { title: string } };
      if (type === "refused") return reject(new Error(problem?.title));
      if (type === "appended" && ++answered === amount) resolve();
      if (answered % 1_000 === 0) edge.look();
      more();
    });
    socket.on("close", (code) => reject(new Error(`the link was closed: ${code}`)));
    more();
  });
  socket.removeAllListeners("close");
  socket.terminate();
  await edge.restart();
  const { log } = await edge.client("producers").status();
  return { heap: log.heap, outcome: `${log.head_seq} signals; read again after a restart` };
};

async function observe(edge: EdgeAtLimit, ecosystem: string, amount: number, text: string) {
  await edge.insist(
    `/v1/${ecosystem}/observations/settings`,
    { window_seconds: 3_600, window_capacity: 200_000 },
    "PATCH",
  );
  for (const { from, count } of batches(amount, text.length > 500 ? 600 : SIGNALS)) {
    const facts = (n: number) => ({ zooid: `z${(from + n) % 50}`, ok: true, ttr_ms: from + n, text });
    await edge.insist(
      `/v1/${ecosystem}/signals`,
      list(count, (n) => ({ signal: "OBSERVATION", source: `s${n % 7}`, facts: facts(n) })),
    );
  }
  return untilTaken(edge, ecosystem);
}

/** Waits until the projections have everything that concerns them. */
async function untilTaken(edge: EdgeAtLimit, ecosystem: string) {
  const taken = async () => {
    edge.look();
    const status = await edge.client(ecosystem).status();
    const behind = Object.values(status.projections ?? {}).filter(({ lag }) => lag !== 0);
    if (behind.length > 0 || status.projections === undefined) throw new Error(`behind: ${JSON.stringify(behind)}`);
    return status;
  };
  return vi.waitFor(taken, { timeout: 1_800_000, interval: 200 });
}

const observations =
  (ecosystem: string, text: string): Run =>
  async (edge, amount) => {
    await observe(edge, ecosystem, amount, text);
    await edge.restart();
    const { window, projections } = await untilTaken(edge, ecosystem);
    return {
      heap: projections?.observations?.heap ?? [],
      outcome: `${window.size} in the window, which woke again; the others gave way`,
    };
  };

const retention: Run = async (edge, amount) => {
  for (const { from, count } of batches(amount, SIGNALS))
    await edge.insist(
      "/v1/retention/signals",
      list(count, (n) => ({ signal: "Q_FILLED", source: "s", facts: { n: from + n } })),
    );
  for (const days of ["7", "3", "14", "7"]) {
    await edge.restart({ GANGLION_RETENTION_DAYS: days });
    await edge.insist("/v1/retention/signals", { signal: "Q_FILLED", source: "s", facts: { days } });
  }
  const { log } = await edge.client("retention").status();
  if (log.oldest_seq !== 1) throw new Error(`the log begins at ${log.oldest_seq}: something young was dropped`);
  return { heap: log.heap, outcome: `7, 3, 14, 7 days: all ${log.head_seq} signals are there` };
};

const tasks: Run = async (edge, amount) => {
  const queue = "/v1/tasks/queues/work";
  await edge.insist(queue, { capacity: 250_000 }, "PATCH");
  for (const { from, count } of batches(amount, SIGNALS))
    await edge.insist(
      `${queue}/tasks`,
      list(count, (n) => ({
        recipient: `r${n % 20}`,
        type: "t",
        payload: { n: from + n },
        task_id: `task-${from + n}`,
      })),
    );
  await edge.restart();
  const client = edge.client("tasks");
  const { depth } = await client.queues.status("work");
  if (depth !== amount) throw new Error(`${depth} tasks woke, of ${amount}`);
  let done = 0;
  // The last in the order, by name: it is far down.
  await edge.insist(`${queue}/tasks/task-${amount - 1}/cancel`, {});
  for (let round = 0; round < 20; round++) {
    const { tasks: leased } = (await edge.insist(`${queue}/lease`, { recipient: `r${round}`, max: 100 })) as {
      tasks: { task_id: string; lease_id: string }[];
    };
    for (const { task_id, lease_id } of leased.slice(0, 20)) {
      await edge.insist(`${queue}/tasks/${task_id}/complete`, { lease_id });
      done++;
    }
  }
  const status = await client.queues.status("work");
  if (status.depth + status.running !== amount - 1 - done) throw new Error(`${status.depth} tasks are left`);
  return { heap: status.heap ?? [], outcome: `all woke after a restart; ${done} leased and completed` };
};

const expectations: Run = async (edge, amount) => {
  const rule = {
    when: "Q_ASKED",
    then: [],
    expect: {
      signal: "Q_ANSWERED",
      within: "12h",
      by: "facts.k",
      else: [{ emit: { signal: "Q_LATE", facts: { k: "facts.k", text: "facts.text" } } }],
    },
    rate: { n: 1_000_000, per: "1m" },
  };
  await edge.insist("/v1/expectations/policies/waits", rule, "PUT");
  for (const { from, count } of batches(amount, SIGNALS))
    await edge.insist(
      "/v1/expectations/signals",
      list(count, (n) => ({ signal: "Q_ASKED", source: "s", facts: { k: `k${from + n}`, text: "x".repeat(100) } })),
    );
  await untilTaken(edge, "expectations");
  await edge.restart();
  const { projections } = await untilTaken(edge, "expectations");
  const { total } = (await (
    await fetch(`${edge.url}/v1/expectations/expectations?limit=1`, {
      headers: { Authorization: `Bearer ${edge.token}` },
    })
  ).json()) as { total: number };
  return { heap: projections?.policy?.heap ?? [], outcome: `${total} are expected; the others became dead letters` };
};

const sockets: Run = async (edge, amount) => {
  for (let n = 0; n < 12; n++)
    await edge.insist(
      "/v1/sockets/signals",
      list(16, () => ({ signal: "Q_LARGE", source: "s", facts: { text: "x".repeat(60_000) } })),
    );
  const open = list(amount, () => {
    const socket = new WebSocket(`${edge.url.replace("http", "ws")}/v1/sockets/signals/stream?after=0`, {
      headers: { Authorization: `Bearer ${edge.token}` },
      perMessageDeflate: false,
    });
    atEnd(() => socket.terminate());
    socket.on("error", () => undefined);
    return new Promise<WebSocket>((resolve) =>
      socket.once("open", () => resolve(socket.pause() as unknown as WebSocket)),
    );
  });
  await Promise.all(open);
  await edge.insist("/v1/sockets/signals", { signal: "Q_AFTER", source: "s", facts: {} });
  const { log } = await edge.client("sockets").status();
  return {
    heap: log.heap,
    outcome: `${log.subscribers} opened; ${Math.round(log.bytes_in_flight / 1e6)} MB on their way`,
  };
};

const RUNS: readonly { readonly name: string; readonly amount: keyof Amounts; readonly run: Run }[] = [
  { name: "producers", amount: "producers", run: producers },
  { name: "observations of 1.5 KB", amount: "largeObservations", run: observations("large", "x".repeat(1_300)) },
  { name: "observations", amount: "observations", run: observations("small", "") },
  { name: "retention on a filled log", amount: "observations", run: retention },
  { name: "tasks", amount: "tasks", run: tasks },
  { name: "expectations", amount: "expectations", run: expectations },
  { name: "sockets that stop reading", amount: "sockets", run: sockets },
];

/** Goes to each maximum in turn, each on an edge of its own whose V8 has 128 MB. */
export async function* maxima(amounts: Amounts, only?: string): AsyncGenerator<Maximum> {
  for (const { name, amount, run } of RUNS) {
    if (only !== undefined && !name.includes(only)) continue;
    const startedMs = performance.now();
    const edge = await EdgeAtLimit.start();
    try {
      const { heap, outcome } = await run(edge, amounts[amount]);
      edge.look();
      const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
      yield { name, amount: amounts[amount], seconds, rssMb: Math.round(edge.peakBytes / 1e6), heap, outcome };
    } finally {
      await edge.end();
    }
  }
}
