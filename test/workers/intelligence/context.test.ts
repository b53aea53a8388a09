import { describe, expect, it } from "vitest";
import type { IntelligenceContext } from "../../../src/core/intelligence/context.ts";
import { readRequest, writeEvent } from "../../../src/core/intelligence/envelope.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { openChannel, queueOver } from "../queue/queue-under-test.ts";

const REQUEST = { node_type: "effect", domain: "postgres_users", service_name: "writer", operations: ["create"] };

const gather = async (eco: string, query = "", request: object = REQUEST) =>
  (await (await post(`/v1/${eco}/intelligence/context${query}`, request)).json()) as IntelligenceContext;

type Answers = (event: { readonly correlationId: string; readonly domain: string | undefined }) => unknown;

const completed = (correlationId: string, patterns: object[]) =>
  writeEvent(
    "completed",
    { correlationId, payload: { source_path: "node_*_effect.py", patterns } },
    { eventId: "e", service: "s", instanceId: "h", nowMs: 0 },
  );

/** A host that answers requests about code as the test says. */
async function hostOf(eco: string, answers: Answers) {
  await queueOver(eco, "intelligence").configure({});
  const host = await openChannel(eco, "host-a", "intelligence");
  await host.ready("host-a", 10);
  const asked: (string | undefined)[] = [];
  const work = async (): Promise<void> => {
    for (const { task_id, lease_id, payload } of (await host.next("tasks")).tasks ?? []) {
      const read = readRequest(payload);
      if (!read.ok) throw new Error("the request cannot be read");
      const { correlationId = "", payload: wanted } = read.request;
      const domain = wanted.options?.domain ?? undefined;
      asked.push(domain);
      const result = answers({ correlationId, domain });
      const end = result instanceof Error ? { error: result.message, retry: false } : { result };
      host.send({ type: result instanceof Error ? "fail" : "complete", tasks: [{ task_id, lease_id, ...end }] });
    }
    return work();
  };
  void work();
  return asked;
}

describe("the library at the edge", () => {
  it("is looked up by type and domain, in any case and by what occurs in the domain", async () => {
    const answer = await call("/v1/default/intelligence/library?node_type=effect&domain=my_postgres");
    expect(await answer.json()).toMatchObject({
      domain: "database",
      common_operations: ["create", "read", "update", "delete", "execute"],
      required_mixins: ["MixinRetry", "MixinCircuitBreaker", "MixinTransaction"],
      performance_targets: { circuit_breaker_threshold: 5 },
      domain_best_practices: expect.arrayContaining([expect.stringContaining("prepared statements")]),
    });
  });

  it.each(["", "?node_type=", "?node_type=WIDGET"])(
    "refuses an unknown type, naming those that there are: %s",
    async (query) => {
      expect(await problemOf(await call(`/v1/default/intelligence/library${query}`))).toMatchObject({
        status: 422,
        errors: [{ pointer: "/query/node_type", message: "give one of EFFECT, COMPUTE, REDUCER, ORCHESTRATOR" }],
      });
    },
  );
});

describe("a context that is gathered at the edge", () => {
  it("holds what a host has, and is trusted as its best example is", async () => {
    const eco = freshEcosystem();
    const pattern = {
      file_path: "nodes/node_user_store_effect.py",
      confidence: 0.97,
      best_practices: ["own practice"],
    };
    const asked = await hostOf(eco, ({ correlationId }) => completed(correlationId, [pattern]));
    expect(await gather(eco, "?correlation_id=mine")).toMatchObject({
      confidence_score: 0.97,
      rag_sources: ["event_based_discovery", "builtin_pattern_library"],
      production_examples: [pattern],
      domain_best_practices: expect.arrayContaining(["own practice"]),
      fallback_reason: null,
      correlation_id: "mine",
    });
    expect(asked).toEqual(["postgres_users"]);
  });

  it("holds nodes of other domains where no host has one of the domain", async () => {
    const eco = freshEcosystem();
    const other = { file_path: "node_mail_effect.py", confidence: 0.92 };
    const asked = await hostOf(eco, ({ correlationId, domain }) =>
      completed(correlationId, domain === undefined ? [other] : []),
    );
    expect((await gather(eco)).production_examples).toEqual([other]);
    expect(asked).toEqual(["postgres_users", undefined]);
  });

  it("is the library's alone where nobody can answer, with the reason, and makes no queue", async () => {
    const eco = freshEcosystem();
    const alone = { confidence_score: 0.7, rag_sources: ["builtin_pattern_library"], production_examples: [] };
    expect(await gather(eco)).toMatchObject({ ...alone, fallback_reason: "no_responder" });
    expect(await gather(eco, "?live=false")).toMatchObject({ ...alone, fallback_reason: "live_off" });
    expect((await call(`/v1/${eco}/queues/intelligence`)).status).toBe(404);
  });

  it.each([
    ["fails", "failed_answer", () => new Error("out of order")],
    ["answers something else", "unreadable_answer", () => ({ event_type: "code_analysis_completed", payload: 1 })],
    ["answers another request", "unreadable_answer", () => completed("another", [])],
    ["answers by an unknown event", "unknown_event_type", () => ({ event_type: "weather", payload: {} })],
  ] as const satisfies readonly (readonly [string, string, Answers])[])(
    "is the library's alone where a host %s, for the reason %s",
    async (_, reason, answers) => {
      const eco = freshEcosystem();
      await hostOf(eco, answers);
      expect(await gather(eco)).toMatchObject({ confidence_score: 0.7, fallback_reason: reason });
    },
  );

  it("is the library's alone where no answer comes in time, and at once while the breaker is open", async () => {
    const eco = freshEcosystem();
    await queueOver(eco, "intelligence").configure({ breaker_failures: 1 });
    const host = await openChannel(eco, "host-a", "intelligence");
    await host.ready("host-a", 10);
    expect(await gather(eco, "?timeout_ms=20")).toMatchObject({ fallback_reason: "timeout" });
    await expect.poll(async () => (await gather(eco, "?timeout_ms=20")).fallback_reason).toBe("breaker_open");
    expect(await gather(eco, "?timeout_ms=60000")).toMatchObject({
      fallback_reason: "breaker_open",
      confidence_score: 0.7,
    });
  });

  it("is refused for an unknown type, a field that nobody knows, and a topic that is none", async () => {
    const refused = async (request: object, query = "") =>
      problemOf(await post(`/v1/default/intelligence/context${query}`, request));
    expect(await refused({ node_type: "WIDGET" })).toMatchObject({ status: 422, errors: [{ pointer: "/node_type" }] });
    expect(await refused({ ...REQUEST, colour: 1 })).toMatchObject({ status: 422, errors: [{ pointer: "/colour" }] });
    expect(await refused(REQUEST, "?topic=a%20b")).toMatchObject({
      status: 422,
      errors: [{ pointer: "/query/topic" }],
    });
  });
});
