import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";
import type { Erasure } from "../../../src/core/erasure/api.ts";
import { call, post } from "../api/calls.ts";
import { queueOf } from "../log-under-test.ts";
import { patience } from "../patience.ts";

const OBJECTS = [
  "SIGNAL_LOG",
  "OBSERVATION_CACHE",
  "POLICY_STATE",
  "WORKER_BOARD",
  "AGENT_REGISTRY",
  "WEBHOOKS",
  "DEAD_LETTERS",
  "MODELS",
  "INTELLIGENCE",
  "AUDIT_LOG",
  "TELEMETRY",
  "IDEMPOTENCY_KEYS",
  "SCHEDULES",
  "NOTES",
  "QUESTIONS",
  "LOCKS",
  "LIMITS",
] as const;
const namespaces = env as unknown as Record<string, DurableObjectNamespace>;

/** The objects of an ecosystem, with those of its queues. */
export function objectsOf(ecosystem: string, queues: readonly string[]): [name: string, stub: DurableObjectStub][] {
  const own = OBJECTS.map((binding): [string, DurableObjectStub] => {
    const namespace = namespaces[binding] as DurableObjectNamespace;
    return [binding, namespace.get(namespace.idFromName(ecosystem))];
  });
  return [...own, ...queues.map((queue): [string, DurableObjectStub] => [queue, queueOf(ecosystem, queue)])];
}

/** Where the bytes stand: in every row of every table of an ecosystem. */
export async function placesOf(
  ecosystem: string,
  queues: readonly string[],
  texts: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  for (const [object, stub] of objectsOf(ecosystem, queues)) {
    await runInDurableObject(stub, (_, { storage: { sql } }) => {
      const tables = sql.exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'",
      );
      for (const { name } of tables.toArray())
        for (const row of sql.exec(`SELECT * FROM "${name}"`).toArray())
          for (const text of texts)
            if (Object.values(row).some((value) => String(value).includes(text)))
              found.push(`${object} ${name}: ${text}`);
    });
  }
  return [...new Set(found)];
}

export const begin = async (ecosystem: string, source: string): Promise<Erasure> => {
  const answer = await post(`/v1/${ecosystem}/erasures`, { source });
  expect(answer.status, await answer.clone().text()).toBe(202);
  return answer.json();
};

export const show = async (ecosystem: string, id: string): Promise<Erasure> =>
  (await call(`/v1/${ecosystem}/erasures/${id}`)).json();

export async function complete(ecosystem: string, { id }: Pick<Erasure, "id">): Promise<Erasure> {
  return vi.waitFor(async () => {
    const erasure = await show(ecosystem, id);
    expect(erasure).toMatchObject({ state: "complete" });
    return erasure;
  }, patience);
}

/** The whole document of an export. */
export async function exportOf(ecosystem: string): Promise<string> {
  const lines: string[] = [];
  for (let after: string | null = ""; after !== null; ) {
    const answer = await call(`/v1/${ecosystem}/export?after=${encodeURIComponent(after)}`);
    expect(answer.status).toBe(200);
    const page = (await answer.json()) as { lines: string[]; next: string | null };
    lines.push(...page.lines);
    after = page.next;
  }
  return lines.join("\n");
}
