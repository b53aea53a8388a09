import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { EdgeUnreachable, problemFrom } from "../../../src/client/http/problem-errors.ts";
import { Breaker } from "../../../src/client/intelligence/breaker.ts";
import {
  IntelligenceClosed,
  IntelligenceFailed,
  IntelligenceTimeout,
} from "../../../src/client/intelligence/errors.ts";
import { IntelligenceGatherer } from "../../../src/client/intelligence/gatherer.ts";
import { type CallResponders, IntelligenceClient } from "../../../src/client/intelligence/intelligence-client.ts";
import { builtInLibrary } from "../../../src/client/intelligence/library-file.ts";
import { findSimilar } from "../../../src/client/intelligence/similar-finder.ts";
import { CALL_TYPES } from "../../../src/core/intelligence/call-types.ts";
import { writeEvent } from "../../../src/core/intelligence/envelope.ts";
import { type LibraryFindings, lookUp } from "../../../src/core/intelligence/library.ts";
import { topicsOf } from "../../../src/core/intelligence/topics.ts";
import { temporaryDirectory } from "../store/temporary-state.ts";

const TOPIC = topicsOf("development").request;
const TWO = [
  { file_path: "nodes/node_a_effect.py", confidence: 0.9 },
  { file_path: "nodes/node_b_effect.py", confidence: 0.85 },
];

interface Sent {
  readonly type: string;
  readonly event: { readonly correlation_id: string; readonly payload: Record<string, unknown> };
  readonly callId: string | undefined;
}
type Responds = (sent: Sent, attempt: number) => unknown;

/** A client over responders that answer as the test says: with the answer's payload, an error that is thrown, or never. */
function clientOf(responds: Responds, more: { breakerPauseMs?: number } = {}) {
  const sent: Sent[] = [];
  const close = vi.fn();
  const calls: CallResponders = {
    close,
    call: async (_recipient, type, payload, { correlationId }) => {
      const reply = (result: unknown) => ({
        correlation_id: correlationId ?? "",
        result,
        responder: "h",
        duration_ms: 1,
      });
      const one = { type, event: payload as Sent["event"], callId: correlationId };
      if (type === CALL_TYPES.health) {
        const health = responds(one, 0);
        if (health instanceof Error) throw health;
        return reply({ ready: true });
      }
      sent.push(one);
      const answer = await responds(one, sent.length);
      if (answer instanceof Error) throw answer;
      return reply(answer);
    },
  };
  const client = new IntelligenceClient({
    calls,
    topic: TOPIC,
    breaker: { threshold: 3, pauseMs: more.breakerPauseMs ?? 60_000 },
  });
  return { client, sent, close };
}

const event = (name: "completed" | "failed", correlationId: string, payload: Record<string, unknown>) =>
  writeEvent(name, { correlationId, payload }, { eventId: "e", service: "s", instanceId: "h", nowMs: 0 });
const completed =
  (payload: Record<string, unknown>): Responds =>
  ({ event: { correlation_id } = { correlation_id: "" } }) =>
    event("completed", correlation_id, payload);
const twoPatterns: Responds = (sent) => sent.type !== TOPIC || completed({ source_path: "x", patterns: TWO })(sent, 1);
const refused = () =>
  new EdgeUnreachable("http://127.0.0.1:1", Object.assign(new Error("x"), { code: "ECONNREFUSED" }));

describe("the client", () => {
  it("gives both patterns of the answer with their paths and confidences", async () => {
    const { client, sent } = clientOf(twoPatterns);
    const { patterns } = await client.discover("node_*_effect.py", "python");
    expect(patterns).toEqual(TWO);
    expect(sent[0]?.event.payload).toMatchObject({
      source_path: "node_*_effect.py",
      operation_type: "PATTERN_EXTRACTION",
    });
  });

  it("gives up on a responder that is slower than the limit, and counts an answer that comes later", async () => {
    let answerLate: (payload: unknown) => void = () => undefined;
    const late = new Promise((resolve) => {
      answerLate = resolve;
    });
    const { client } = clientOf((sent) => sent.type !== TOPIC || late);
    await expect(client.discover("a", undefined, { timeoutMs: 20 })).rejects.toBeInstanceOf(IntelligenceTimeout);
    answerLate({});
    await vi.waitFor(() => expect(client.counts).toMatchObject({ timeouts: 1, late: 1 }));
  });

  it("sends the correlation id that the answer has, a new one for each request", async () => {
    const { client, sent } = clientOf(twoPatterns);
    await client.discover("a", undefined);
    await client.discover("a", undefined);
    const ids = sent.map(({ event }) => event.correlation_id);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  });

  it("never gives out an answer to another request", async () => {
    const { client } = clientOf(
      (sent) => sent.type !== TOPIC || event("completed", "somebody-else", { source_path: "x", patterns: TWO }),
    );
    await expect(client.discover("a", undefined)).rejects.toMatchObject({ reason: "correlation_mismatch" });
    expect(client.counts.mismatches).toBe(1);
  });

  it("mixes up none of many requests whose answers are reordered", async () => {
    const { client } = clientOf(async (sent) => {
      if (sent.type !== TOPIC) return true;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
      return completed({ source_path: sent.event.payload.source_path, patterns: [] })(sent, 1);
    });
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => client.discover(`p${index}`, undefined)),
    );
    expect(answers.map(({ source_path }) => source_path)).toEqual(answers.map((_, index) => `p${index}`));
    expect(client.counts.mismatches).toBe(0);
  });

  it("tries a failure again that may pass, each time as a call of its own and under the same correlation id", async () => {
    const { client, sent } = clientOf((one, attempt) => {
      if (one.type !== TOPIC) return true;
      if (attempt === 1)
        return event("failed", one.event.correlation_id, {
          error_message: "busy",
          error_code: "rate_limit_exceeded",
          retry_allowed: true,
        });
      return twoPatterns(one, attempt);
    });
    expect((await client.discover("a", undefined)).patterns).toHaveLength(2);
    expect(new Set(sent.map(({ callId }) => callId)).size).toBe(2);
    expect(new Set(sent.map(({ event }) => event.correlation_id)).size).toBe(1);
  });

  it("tries no refused request again, and says why it was refused", async () => {
    const { client, sent } = clientOf((one) =>
      one.type !== TOPIC
        ? true
        : event("failed", one.event.correlation_id, { error_message: "outside", error_code: "INVALID_INPUT" }),
    );
    const error = await client.discover("../x", undefined).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(IntelligenceFailed);
    expect(error).toMatchObject({ error_code: "INVALID_INPUT", retryAllowed: false });
    expect(sent).toHaveLength(1);
  });

  it("is healthy with somebody who answers, and not without an edge or a responder", async () => {
    expect(await clientOf(() => true).client.healthCheck()).toBe(true);
    expect(await clientOf(refused).client.healthCheck()).toBe(false);
    const none = () =>
      problemFrom(503, JSON.stringify({ type: "/problems/no-responder", title: "x", status: 503 }), null);
    expect(await clientOf(none).client.healthCheck()).toBe(false);
  });

  it("asks nobody while the breaker is open", async () => {
    const { client, sent } = clientOf(refused);
    for (let asked = 0; asked < 3; asked++)
      await expect(client.discover("a", undefined)).rejects.toMatchObject({ reason: "connection_failed" });
    await expect(client.discover("a", undefined)).rejects.toMatchObject({ reason: "breaker_open" });
    expect(sent).toHaveLength(0);
  });

  it("is told at once by the breaker of the edge, which alone knows when to try, and tries no call again meanwhile", async () => {
    const open = { type: "/problems/breaker-open", title: "The breaker of the recipient is open", status: 503 };
    const { client, sent } = clientOf(({ type }) => type !== TOPIC || problemFrom(503, JSON.stringify(open), "9"));
    for (let asked = 1; asked <= 5; asked++) {
      await expect(client.discover("a", undefined)).rejects.toMatchObject({ reason: "breaker_open" });
      expect(sent).toHaveLength(asked);
    }
  });

  it("ends its connection once, and fails what waits and what comes later", async () => {
    const { client, close } = clientOf((sent) => sent.type !== TOPIC || new Promise(() => undefined));
    const waiting = client.discover("a", undefined).catch((error: unknown) => error);
    await vi.waitFor(() => expect(client.counts.requests).toBe(1));
    client.close();
    client.close();
    expect(await waiting).toBeInstanceOf(IntelligenceClosed);
    expect(close).toHaveBeenCalledTimes(1);
    await expect(client.discover("a", undefined)).rejects.toBeInstanceOf(IntelligenceClosed);
  });

  it("calls an answer of an unknown type unknown", async () => {
    const { client } = clientOf((sent) => sent.type !== TOPIC || { event_type: "tree_indexed", payload: {} });
    await expect(client.discover("a", undefined)).rejects.toMatchObject({ reason: "unknown_event_type" });
    expect(client.counts.unknown).toBe(1);
  });
});

describe("the breaker", () => {
  it("lets one probe through after a pause, and closes by its success", () => {
    let now = 0;
    const breaker = new Breaker({ threshold: 2, pauseMs: 100, now: () => now });
    breaker.failed();
    expect(breaker.admits()).toBe(true);
    breaker.failed();
    expect([breaker.state, breaker.admits()]).toEqual(["open", false]);
    now = 100;
    expect([breaker.admits(), breaker.admits()]).toEqual([true, false]);
    breaker.succeeded();
    expect([breaker.state, breaker.admits()]).toEqual(["closed", true]);
  });
});

const library = builtInLibrary();
const WRITER = {
  node_type: "EFFECT",
  domain: "database",
  service_name: "TestWriter",
  operations: ["create", "update"],
};

describe("the gatherer", () => {
  it("is trusted more than 0.9 with a live host that has a complete file", async () => {
    const { client } = clientOf(
      (sent) =>
        sent.type !== TOPIC ||
        completed({ source_path: "x", patterns: [{ file_path: "a", confidence: 0.95 }] })(sent, 1),
    );
    const context = await new IntelligenceGatherer({ library, client }).gather(WRITER);
    expect(context.confidence_score).toBeGreaterThan(0.9);
    expect(context.rag_sources).toContain("event_based_discovery");
    expect(context.production_examples).toHaveLength(1);
    expect(context.fallback_reason).toBeNull();
  });

  it("is trusted exactly 0.7 where no edge listens, and warns with the reason", async () => {
    const onFallback = vi.fn();
    const { client } = clientOf(refused);
    const context = await new IntelligenceGatherer({ library, client, onFallback, timeoutMs: 1_000 }).gather(WRITER);
    expect(context.confidence_score).toBe(0.7);
    expect(context.rag_sources).toEqual(["builtin_pattern_library"]);
    expect(onFallback).toHaveBeenCalledWith(
      "connection_failed",
      expect.stringContaining("the built-in library is used"),
    );
  });

  it.each([
    ["no_client", {}],
    ["live_off", { live: false }],
    ["not_in_share", { client: clientOf(twoPatterns).client, share: 0 }],
    [
      "timeout",
      { client: clientOf((sent) => sent.type !== TOPIC || new Promise(() => undefined)).client, timeoutMs: 20 },
    ],
    ["unreadable_answer", { client: clientOf((sent) => sent.type !== TOPIC || "nonsense").client }],
    [
      "unknown_event_type",
      { client: clientOf((sent) => sent.type !== TOPIC || { event_type: "x", payload: 1 }).client },
    ],
  ])("falls back and says %s", async (reason, options) => {
    const context = await new IntelligenceGatherer({ library, ...options }).gather(WRITER);
    expect(context).toMatchObject({ fallback_reason: reason, confidence_score: 0.7 });
  });

  it("goes on without a retrieval service that fails", async () => {
    const retrieve = () => Promise.reject(new Error("away"));
    expect(await new IntelligenceGatherer({ library, retrieve }).gather(WRITER)).toMatchObject({
      confidence_score: 0.7,
    });
  });

  it("takes the rules of the edge's library, and its own where the edge does not answer", async () => {
    const served = { ...lookUp(library, "EFFECT", "database"), node_type_patterns: ["a rule of the edge"] };
    const of = async (servedLibrary: () => Promise<LibraryFindings>) =>
      (await new IntelligenceGatherer({ library, servedLibrary }).gather(WRITER)).node_type_patterns;
    expect(await of(() => Promise.resolve(served))).toEqual(["a rule of the edge"]);
    expect(await of(() => Promise.reject(refused()))).toEqual(lookUp(library, "EFFECT", "database").node_type_patterns);
  });

  it("refuses an input with an unknown field", async () => {
    const wrong = { ...WRITER, domian: "database" };
    await expect(new IntelligenceGatherer({ library }).gather(wrong)).rejects.toThrow(/domian/);
  });
});

describe("the finder of similar nodes", () => {
  it("asks live hosts first", async () => {
    const { client } = clientOf(twoPatterns);
    const found = await findSimilar("EFFECT", "b", 3, { client, paths: [] });
    expect(found.map(({ path, source }) => [path, source])).toEqual([
      ["nodes/node_b_effect.py", "event_based_discovery"],
      ["nodes/node_a_effect.py", "event_based_discovery"],
    ]);
  });

  it("looks below its paths where nobody answers, and nowhere where it has none", async () => {
    const root = temporaryDirectory();
    mkdirSync(join(root, "deep"));
    writeFileSync(join(root, "deep", "node_user_store_effect.py"), "");
    writeFileSync(join(root, "node_user_store_compute.py"), "");
    const { client } = clientOf(refused);
    const found = await findSimilar("EFFECT", "user_store", 3, { client, paths: [root] });
    expect(found).toMatchObject([
      { path: join(root, "deep", "node_user_store_effect.py"), similarity: 1, source: "filesystem" },
    ]);
    expect(await findSimilar("EFFECT", "user_store", 3, { client, paths: [] })).toEqual([]);
  });
});
