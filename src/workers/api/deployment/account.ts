import { accountOf } from "../../../core/billing/bill.ts";
import { dayOf, type ObjectUsage } from "../../../core/billing/usage-days.ts";
import { planOf } from "../../../core/deployment/profile.ts";
import { ecosystemObjects } from "../../bindings/ecosystem-objects.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory, linkRelay, priorityQueue, signalLog } from "../../bindings/objects.ts";

/** What the objects of an ecosystem used in this month, and what that costs. */
export async function usageAndAccount(env: Environment, eco: string, nowMs: number) {
  const used = await usageOf(env, eco, `${dayOf(nowMs).slice(0, 7)}-01`);
  const counted = [...Object.values(used.own), ...used.ofQueues, ...used.ofRelays, used.ofDirectory];
  const days = [...counted.flatMap((one) => one.days), ...used.ofWorker];
  const bytes = counted.reduce((all, { storage_bytes }) => all + storage_bytes, 0);
  return { used, account: accountOf(days, bytes, planOf(env), nowMs) };
}

/** Counts what is spent of the budget of an ecosystem, and tells its log. @returns the budget then */
export async function countSpent(env: Environment, eco: string, nowMs: number) {
  const { account } = await usageAndAccount(env, eco, nowMs);
  return signalLog(env, eco).budget({ spent_usd: account.month.usd, at_ms: nowMs });
}

/** @param since - the first day */
async function usageOf(env: Environment, eco: string, since: string) {
  const shared = directory(env);
  const [queues, relays] = await Promise.all([shared.queues(eco), signalLog(env, eco).relays()]);
  const [own, ofQueues, ofRelays, ofDirectory, ofWorker] = await Promise.all([
    ofEach(ecosystemObjects(env, eco), since),
    Promise.all(queues.map(({ name }) => priorityQueue(env, eco, name).usageByDay(since))),
    Promise.all(relays.map((relay) => linkRelay(env, eco, relay).usageByDay(since))),
    shared.usageByDay(since),
    shared.workerUsage(eco, since),
  ]);
  return { own, ofQueues, ofRelays, ofDirectory, ofWorker };
}

interface Metered {
  usageByDay(since: string): Promise<ObjectUsage>;
}

async function ofEach<Name extends string>(
  objects: Readonly<Record<Name, Metered>>,
  since: string,
): Promise<Record<Name, ObjectUsage>> {
  const entries = Object.entries<Metered>(objects);
  const used = await Promise.all(
    entries.map(async ([name, object]) => [name, await object.usageByDay(since)] as const),
  );
  return Object.fromEntries(used) as Record<Name, ObjectUsage>;
}
