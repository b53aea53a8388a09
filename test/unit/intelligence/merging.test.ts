import { describe, expect, it } from "vitest";
import { builtInLibrary } from "../../../src/client/intelligence/library-file.ts";
import { type Gathered, IntelligenceContext, mergeContext } from "../../../src/core/intelligence/context.ts";
import { canonicalDomain } from "../../../src/core/intelligence/domains.ts";
import { byConfidence, fitPatterns } from "../../../src/core/intelligence/fit-answer.ts";
import { lookUp } from "../../../src/core/intelligence/library.ts";
import { matchesName, matchesPath } from "../../../src/core/intelligence/name-pattern.ts";
import { filePatternOf, nodeNameOf } from "../../../src/core/intelligence/node-types.ts";
import type { Pattern } from "../../../src/core/intelligence/pattern.ts";
import { rankSimilar, similarityOf } from "../../../src/core/intelligence/similar-nodes.ts";
import { isInShare } from "../../../src/core/intelligence/stable-share.ts";
import { utf8Bytes } from "../../../src/core/signals/limits.ts";

const library = lookUp(builtInLibrary(), "EFFECT", "database");
const gathered = (change: Partial<Gathered> = {}): Gathered => ({
  live: undefined,
  fallbackReason: null,
  library,
  retrieved: undefined,
  preferLive: true,
  correlationId: "c",
  durationMs: 3,
  ...change,
});
const pattern = (confidence: number, more: Partial<Pattern> = {}): Pattern => ({
  file_path: "a/node_a_effect.py",
  confidence,
  ...more,
});

describe("a gathered context", () => {
  it("is worth exactly 0.7 from the library alone, and says why no host answered", () => {
    const context = mergeContext(gathered({ fallbackReason: "timeout" }));
    expect(context.confidence_score).toBe(0.7);
    expect(context.rag_sources).toEqual(["builtin_pattern_library"]);
    expect(context.fallback_reason).toBe("timeout");
    expect(context.node_type_patterns).toHaveLength(10);
    expect(context.domain_best_practices).toHaveLength(10);
  });

  it("is worth at least 0.9 with a live pattern, and more with a better one", () => {
    expect(mergeContext(gathered({ live: { patterns: [pattern(0.6)] } })).confidence_score).toBe(0.9);
    const context = mergeContext(gathered({ live: { patterns: [pattern(0.6), pattern(0.97)] } }));
    expect(context.confidence_score).toBe(0.97);
    expect(context.rag_sources).toEqual(["event_based_discovery", "builtin_pattern_library"]);
    expect(context.production_examples).toHaveLength(2);
  });

  it("counts a live answer 0.8 where it is not preferred", () => {
    expect(mergeContext(gathered({ live: { patterns: [pattern(1)] }, preferLive: false })).confidence_score).toBe(0.8);
  });

  it("neither names nor counts a live answer that found nothing", () => {
    const context = mergeContext(gathered({ live: { patterns: [] } }));
    expect(context.confidence_score).toBe(0.7);
    expect(context.rag_sources).toEqual(["builtin_pattern_library"]);
  });

  it("takes description, practices and snippet of a live pattern, each text once", () => {
    const [known = ""] = library.domain_best_practices;
    const one = pattern(0.9, {
      description: "Stores users.",
      best_practices: [known, "Own"],
      code_snippet: "class A: ...",
    });
    const context = mergeContext(gathered({ live: { patterns: [one, { ...one, file_path: "b.py" }] } }));
    expect(context.node_type_patterns.filter((text) => text === "Stores users.")).toHaveLength(1);
    expect(context.domain_best_practices.filter((text) => text === known)).toHaveLength(1);
    expect(context.domain_best_practices).toContain("Own");
    expect(context.code_examples.filter(({ code }) => code === "class A: ...")).toHaveLength(1);
  });

  it("names the retrieval service last, where it gave something", () => {
    const context = mergeContext(gathered({ retrieved: { texts: ["From afar."], confidence: 0.5 } }));
    expect(context.rag_sources).toEqual(["builtin_pattern_library", "archon_rag"]);
    expect(context.confidence_score).toBe(0.7);
  });

  it("is refused with a value out of its range, or with an unknown field", () => {
    const context = mergeContext(gathered());
    expect(IntelligenceContext.safeParse({ ...context, confidence_score: 1.2 }).success).toBe(false);
    expect(IntelligenceContext.safeParse({ ...context, surprise: 1 }).success).toBe(false);
  });
});

describe("a domain", () => {
  it.each([
    ["PostgreSQL", "database"],
    ["user_db", "database"],
    ["mysql-orders", "database"],
    ["rest", "api"],
    ["GraphQL gateway", "api"],
    ["kafka_events", "messaging"],
    ["work-queue", "messaging"],
    ["redis", "cache"],
    ["interest rates", "interest_rates"],
    ["rapid_pricing", "rapid_pricing"],
    ["", ""],
  ])("%j is %j", (given, canonical) => {
    expect(canonicalDomain(given)).toBe(canonical);
  });
});

describe("the names of nodes", () => {
  it("say type and domain", () => {
    expect(nodeNameOf("node_user_store_effect.py")).toEqual({ type: "EFFECT", domain: "user_store" });
    expect(nodeNameOf("node_total_compute.ts")).toEqual({ type: "COMPUTE", domain: "total" });
    expect(nodeNameOf("helpers.py")).toEqual({ type: undefined, domain: undefined });
  });

  it("are asked for in lower case", () => {
    expect(filePatternOf("EFFECT")).toBe("node_*_effect.py");
    expect(matchesName(filePatternOf("EFFECT"), "node_user_effect.py")).toBe(true);
  });

  it("match patterns with * and ?, on the name or on the end of the path", () => {
    expect(matchesPath("node_*.py", "deep/below/node_a_effect.py")).toBe(true);
    expect(matchesPath("below/node_?_effect.py", "deep/below/node_a_effect.py")).toBe(true);
    expect(matchesPath("below/node_?_effect.py", "deep/elsewhere/node_a_effect.py")).toBe(false);
    expect(matchesName("*a*b*c*", "xxaxxbxxc")).toBe(true);
    expect(matchesName("*a*b*c", "xxaxxbxx")).toBe(false);
  });

  it("match in a time that does not explode", () => {
    expect(matchesName(`${"*a".repeat(300)}b`, "a".repeat(4_000))).toBe(false);
  });
});

describe("similar nodes", () => {
  it.each([
    ["user_store", "src/node_user_store_effect.py", 1],
    ["user_store", "src/node_user_cache_effect.py", 0.25],
    ["user_store", "user_store/node_a_effect.py", 0.3],
    ["user_store", "examples/user_store/node_a_effect.py", 0.36],
    ["user_store", "src/node_orders_effect.py", 0],
  ])("%s and %s: %d", (domain, path, similarity) => {
    expect(similarityOf(domain, path)).toBeCloseTo(similarity, 5);
  });

  it("are ranked before they are cut, each path once, ties by confidence and then by path", () => {
    const candidate = (path: string, confidence: number | null) =>
      ({ path, confidence, source: "filesystem", host: null }) as const;
    const ranked = rankSimilar(
      "billing",
      [
        candidate("node_x_effect.py", 1),
        candidate("node_b_billing_effect.py", 0.6),
        candidate("node_a_billing_effect.py", 0.6),
        candidate("node_c_billing_effect.py", 0.9),
        candidate("node_c_billing_effect.py", 0.2),
      ],
      3,
    );
    expect(ranked.map(({ path, confidence }) => [path, confidence])).toEqual([
      ["node_c_billing_effect.py", 0.9],
      ["node_a_billing_effect.py", 0.6],
      ["node_b_billing_effect.py", 0.6],
    ]);
  });
});

describe("a share of keys", () => {
  const keys = Array.from({ length: 10_000 }, (_, index) => `service-${index}`);

  it.each([10, 50])("of %d percent is that many, within one percent", (percent) => {
    const chosen = keys.filter((key) => isInShare(key, percent)).length / 100;
    expect(Math.abs(chosen - percent)).toBeLessThanOrEqual(1);
  });

  it("holds the keys of every smaller share, all at 100 and none at 0", () => {
    for (const key of keys) if (isInShare(key, 10)) expect(isInShare(key, 50)).toBe(true);
    expect(keys.every((key) => isInShare(key, 100))).toBe(true);
    expect(keys.some((key) => isInShare(key, 0))).toBe(false);
  });
});

describe("the patterns of an answer", () => {
  const many = Array.from({ length: 400 }, (_, index) =>
    pattern(index / 400, { file_path: `node_${index}.py`, code_snippet: "é".repeat(1_000) }),
  ).toSorted(byConfidence);

  it("are as many as fit, best first, with snippets cut before patterns are left out", () => {
    const { patterns, truncated } = fitPatterns(many);
    expect(truncated).toBe(true);
    expect(utf8Bytes(JSON.stringify(patterns))).toBeLessThanOrEqual(56 * 1024);
    expect(patterns.length).toBeGreaterThan(60);
    expect(patterns[0]?.file_path).toBe("node_399.py");
  });

  it("are left as they are where they fit", () => {
    expect(fitPatterns(many.slice(0, 10))).toEqual({ patterns: many.slice(0, 10), truncated: false });
  });
});
