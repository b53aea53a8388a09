import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import pino from "pino";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { answerLog } from "../../../local-agent/intelligence/answer-log.ts";
import { AskerRollout } from "../../../src/client/intelligence/asker-rollout.ts";
import { IntelligenceUnavailable } from "../../../src/client/intelligence/errors.ts";
import { IntelligenceGatherer } from "../../../src/client/intelligence/gatherer.ts";
import { builtInLibrary } from "../../../src/client/intelligence/library-file.ts";
import { openGatherer } from "../../../src/client/intelligence/open-gatherer.ts";
import { retrievalService } from "../../../src/client/intelligence/retrieval.ts";
import { ContextRequest } from "../../../src/core/intelligence/context.ts";
import { readIntelligenceSettings } from "../../../src/core/intelligence/settings.ts";
import { startEdge } from "../cli/fake-edge.ts";

const settingsOf = (environment: Record<string, string>) =>
  readIntelligenceSettings({ environment, address: "http://127.0.0.1:1" }).settings;
const ASKED = { node_type: "EFFECT", domain: "database", service_name: "TestWriter" };

describe("ENABLE_ARCHON_RAG", () => {
  it("makes a retrieval service the third source, which is sent the request and counts by its own confidence", async () => {
    const service = await startEdge(() => [200, { texts: ["Index what you filter by."], confidence: 0.85 }]);
    const on = settingsOf({ ENABLE_ARCHON_RAG: "true", GANGLION_INTELLIGENCE_RETRIEVAL_URL: `${service.url}/query` });
    const context = await openGatherer({ settings: on }).gatherer.gather(ASKED);
    expect(context.rag_sources).toEqual(["builtin_pattern_library", "archon_rag"]);
    expect(context.node_type_patterns).toContain("Index what you filter by.");
    expect(context.confidence_score).toBe(0.85);
    expect(service.received[0]?.body).toMatchObject(ASKED);
    const off = settingsOf({ GANGLION_INTELLIGENCE_RETRIEVAL_URL: service.url });
    expect((await openGatherer({ settings: off }).gatherer.gather(ASKED)).rag_sources).toEqual([
      "builtin_pattern_library",
    ]);
    expect(service.received).toHaveLength(1);
  });

  it.each([
    [200, { texts: [1] }, /texts/],
    [200, { texts: [], confidence: 2 }, /confidence/],
    [500, {}, /answered 500/],
    [200, { texts: ["x".repeat(2_000_000)], confidence: 1 }, /longer than/],
  ] as const)("goes on without a service that answers %s %j, and says why", async (status, body, why) => {
    const service = await startEdge(() => [status, body]);
    const onFallback = vi.fn();
    const on = settingsOf({ ENABLE_ARCHON_RAG: "1", GANGLION_INTELLIGENCE_RETRIEVAL_URL: service.url });
    const context = await openGatherer({ settings: on, onFallback }).gatherer.gather(ASKED);
    expect(context.rag_sources).toEqual(["builtin_pattern_library"]);
    expect(onFallback.mock.calls.map(([, message]) => String(message)).join()).toMatch(why);
  });

  it("follows no redirection to another service, and names no key of the address in an error", async () => {
    const server = createServer((_, response) => response.writeHead(307, { Location: "http://127.0.0.1:1/" }).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const ask = retrievalService(`http://127.0.0.1:${(server.address() as AddressInfo).port}/?key=secret`);
    const error = await ask(ContextRequest.parse(ASKED)).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("cannot be reached");
    expect(String(error)).not.toContain("secret");
  });
});

describe("CORRELATION_TRACKING_ENABLED", () => {
  const warningOf = async (correlationTracking: boolean) => {
    const onFallback = vi.fn();
    const client = { discover: () => Promise.reject(new IntelligenceUnavailable("no_responder", "nobody")) };
    const gatherer = new IntelligenceGatherer({ library: builtInLibrary(), client, onFallback, correlationTracking });
    await gatherer.gather(ASKED, "c-1");
    return String(onFallback.mock.calls[0]?.[1]);
  };
  it("puts the id of each request into the warnings of askers, or leaves it out", async () => {
    expect(await warningOf(true)).toContain("(request c-1)");
    expect(await warningOf(false)).not.toContain("c-1");
  });

  const lineOf = (tracking: boolean) => {
    const lines: string[] = [];
    const log = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
    const request = { correlationId: "c-1", eventId: undefined, spelling: "dotted", trace: undefined } as const;
    const payload = { source_path: "x", project_id: "p-7" };
    answerLog(log, tracking)("PATTERN_EXTRACTION", "failed", 12.4, { ...request, payload });
    answerLog(log, tracking)("PATTERN_EXTRACTION", "completed", 12.4, request);
    return lines.map((line): unknown => JSON.parse(line));
  };
  it("puts the id into the log of a responder, with whom the request is for", () => {
    expect(lineOf(true)).toMatchObject([{ correlation_id: "c-1", project_id: "p-7", outcome: "failed", ms: 12 }]);
    expect(lineOf(false)[0]).not.toHaveProperty("correlation_id");
  });
});

describe("METRICS_ENABLED", () => {
  it("is whether an asker measures, and reports to the edge; the share counts either way", async () => {
    expect(openGatherer({ settings: settingsOf({}) }).metrics).toBeDefined();
    expect(openGatherer({ settings: settingsOf({ METRICS_ENABLED: "false" }) }).metrics).toBeUndefined();
    const report = vi.fn(async () => ({ share: 0, version: 1, since: null, by: null, note: null, rolled_back: null }));
    const rollout = new AskerRollout({ report, measured: false });
    const client = { discover: vi.fn() };
    const context = await new IntelligenceGatherer({ library: builtInLibrary(), client, rollout }).gather(ASKED);
    await rollout.close();
    expect(context.fallback_reason).toBe("not_in_share");
    expect(report).toHaveBeenCalledTimes(1);
  });
});
