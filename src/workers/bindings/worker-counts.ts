import { workerCpuMs } from "../../core/billing/worker-cpu.ts";
import { ECOSYSTEM_NAME } from "../../core/signals/signal.ts";
import type { WorkerCounts } from "../../durable-objects/access/object.ts";

/** Ecosystems that are told apart at a time; the others count for nobody. */
const MAX_ECOSYSTEMS = 1_000;
const NOBODY = "";
/** What stands in the place of an ecosystem's name in paths about the whole deployment. */
const OF_NO_ECOSYSTEM = ["ecosystems", "sessions", "tokens"];

interface Count {
  worker_requests: number;
  worker_cpu_ms: number;
}

/**
 * What this isolate did since it last called the directory. The counts travel with calls that are made anyway, at the
 * latest with the minute's round where one isolate does both; what an isolate counted after its last such call is lost when it ends.
 */
let counts = new Map<string, Count>();

/** Counts a request that the Worker has answered. */
export function countRequest(url: string, { method, headers }: Request, status: number): void {
  const bytes = Number(headers.get("content-length") ?? "0");
  const ecosystem = method === "OPTIONS" ? NOBODY : ecosystemOf(url, status);
  add(ecosystem, 1, workerCpuMs(Number.isFinite(bytes) ? bytes : 0));
}

/** Counts an invocation that no request caused: the minute's round. */
export function countInvocation(): void {
  add(NOBODY, 1, workerCpuMs(0));
}

/** Makes a call to the directory that takes the counts along. They stay where the call fails. */
export async function withCounts<Answer>(call: (counts: WorkerCounts) => Promise<Answer>): Promise<Answer> {
  const taken = counts;
  counts = new Map();
  try {
    return await call([...taken]);
  } catch (error) {
    for (const [ecosystem, { worker_requests, worker_cpu_ms }] of taken) add(ecosystem, worker_requests, worker_cpu_ms);
    throw error;
  }
}

function add(ecosystem: string, requests: number, cpuMs: number): void {
  const account = counts.has(ecosystem) || counts.size < MAX_ECOSYSTEMS ? ecosystem : NOBODY;
  const count = counts.get(account) ?? { worker_requests: 0, worker_cpu_ms: 0 };
  count.worker_requests += requests;
  count.worker_cpu_ms += cpuMs;
  counts.set(account, count);
}

const INBOX = /^\w+:\/\/[^/]*\/v1\/[^/?#]+\/inbox\//;

/** Callers who were refused, or only asked (OPTIONS), name any ecosystem, and must not make accounts of it. */
function ecosystemOf(url: string, status: number): string {
  if (status === 401 || status === 403 || status === 404) return NOBODY;
  // What is refused at the door of the inbox was not verified.
  if (status >= 400 && INBOX.test(url)) return NOBODY;
  const name = /^\w+:\/\/[^/]*\/v1\/([^/?#]+)\//.exec(url)?.[1] ?? NOBODY;
  return ECOSYSTEM_NAME.test(name) && !OF_NO_ECOSYSTEM.includes(name) ? name : NOBODY;
}
