import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";
import { readIntelligenceSettings } from "../../../src/core/intelligence/settings.ts";
import { topicsOf } from "../../../src/core/intelligence/topics.ts";

const read = (
  environment: Record<string, string>,
  section: Record<string, unknown> = {},
  address: string | undefined = "http://127.0.0.1:8787",
) => readIntelligenceSettings({ environment, section, address });
const shown = (result: ReturnType<typeof read>, name: string) => result.shown.find((each) => each.name === name);

describe("the profiles of examples/intelligence", () => {
  it.each([
    ["laptop", { enabled: false, paths: ["./nodes"] }],
    ["containers", { enabled: true, live: true, share: 100, filesystemFallback: true }],
    [
      "production",
      { filesystemFallback: false, topicRequest: topicsOf("production").request, requestTimeoutMs: 2_000 },
    ],
  ])("are read without a problem: %s.env", (name, expected) => {
    const text = readFileSync(new URL(`../../../examples/intelligence/${name}.env`, import.meta.url), "utf8");
    const environment = parseEnv(text) as Record<string, string>;
    const { settings, problems } = readIntelligenceSettings({ environment, address: environment.GANGLION_URL });
    expect(problems).toEqual([]);
    expect(settings).toMatchObject(expected);
  });
});

describe("the settings of those who ask", () => {
  it("have defaults without a variable", () => {
    const { settings, problems } = read({});
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({
      enabled: true,
      live: true,
      requestTimeoutMs: 5_000,
      discoveryTimeoutMs: 5_000,
      analysisTimeoutMs: 10_000,
      topicRequest: "dev.archon-intelligence.intelligence.code-analysis-requested.v1",
      filesystemFallback: true,
      retrieval: false,
      correlationTracking: true,
      metrics: true,
      share: 100,
    });
  });

  it.each([
    ["KAFKA_ENABLE_INTELLIGENCE", "false", "enabled", false],
    ["ENABLE_EVENT_INTELLIGENCE", "false", "live", false],
    ["ENABLE_EVENT_BASED_DISCOVERY", "no", "live", false],
    ["KAFKA_REQUEST_TIMEOUT_MS", "6000", "request_timeout_ms", 6_000],
    ["KAFKA_PATTERN_DISCOVERY_TIMEOUT_MS", "7000", "discovery_timeout_ms", 7_000],
    ["KAFKA_CODE_ANALYSIS_TIMEOUT_MS", "120000", "analysis_timeout_ms", 120_000],
    ["KAFKA_TOPIC_REQUEST", "my.requests", "topic_request", "my.requests"],
    ["KAFKA_TOPIC_COMPLETED", "my.answers", "topic_completed", "my.answers"],
    ["KAFKA_TOPIC_FAILED", "my.failures", "topic_failed", "my.failures"],
    ["ENABLE_FILESYSTEM_FALLBACK", "false", "filesystem_fallback", false],
    ["ENABLE_ARCHON_RAG", "true", "retrieval", true],
    ["CORRELATION_TRACKING_ENABLED", "false", "correlation_tracking", false],
    ["METRICS_ENABLED", "0", "metrics", false],
    ["GANGLION_INTELLIGENCE_SHARE", "12.5", "share", 12.5],
    ["GANGLION_INTELLIGENCE_LIBRARY", "mine.yaml", "library", "mine.yaml"],
  ])("are read from %s", (variable, text, name, value) => {
    const result = read({ [variable]: text });
    expect(result.problems.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(shown(result, name)).toEqual({ name, value, origin: variable });
  });

  it("name a retrieval service by an address, and warn where it is switched on without one", () => {
    const url = "https://rag.example.org/query";
    const both = read({ ENABLE_ARCHON_RAG: "true", GANGLION_INTELLIGENCE_RETRIEVAL_URL: url });
    expect([both.problems, both.settings.retrievalUrl]).toEqual([[], url]);
    expect(read({ ENABLE_ARCHON_RAG: "true" }).problems).toMatchObject([
      { severity: "warning", where: "ENABLE_ARCHON_RAG", message: expect.stringContaining("RETRIEVAL_URL") },
    ]);
    expect(read({ GANGLION_INTELLIGENCE_RETRIEVAL_URL: "ftp://x" }).problems).toMatchObject([
      { severity: "error", where: "GANGLION_INTELLIGENCE_RETRIEVAL_URL" },
    ]);
  });

  it("prefer our variable to the older one, and any variable to the file", () => {
    const file = { request_timeout_ms: 3_000, share: 10 };
    const both = { GANGLION_INTELLIGENCE_REQUEST_TIMEOUT_MS: "8000", KAFKA_REQUEST_TIMEOUT_MS: "9000" };
    expect(shown(read(both, file), "request_timeout_ms")).toMatchObject({
      value: 8_000,
      origin: "GANGLION_INTELLIGENCE_REQUEST_TIMEOUT_MS",
    });
    expect(shown(read({}, file), "request_timeout_ms")).toMatchObject({
      value: 3_000,
      origin: "intelligence.request_timeout_ms",
    });
    expect(shown(read({ KAFKA_TOPIC_FAILED: "x" }, file), "share")).toMatchObject({
      value: 10,
      origin: "intelligence.share",
    });
  });

  it("name the topics by the environment, and switch the file system off in production", () => {
    const { settings } = read({ GANGLION_INTELLIGENCE_ENVIRONMENT: "production" });
    expect(settings.topicCompleted).toBe("production.archon-intelligence.intelligence.code-analysis-completed.v1");
    expect(settings.filesystemFallback).toBe(false);
  });

  it.each([
    [{ KAFKA_REQUEST_TIMEOUT_MS: "soon" }, "KAFKA_REQUEST_TIMEOUT_MS", "from 1000 to 60000"],
    [{ KAFKA_REQUEST_TIMEOUT_MS: "999" }, "KAFKA_REQUEST_TIMEOUT_MS", "from 1000 to 60000"],
    [{ KAFKA_CODE_ANALYSIS_TIMEOUT_MS: "120001" }, "KAFKA_CODE_ANALYSIS_TIMEOUT_MS", "from 1000 to 120000"],
    [{ KAFKA_TOPIC_REQUEST: "" }, "KAFKA_TOPIC_REQUEST", "is empty"],
    [{ KAFKA_TOPIC_REQUEST: "a b" }, "KAFKA_TOPIC_REQUEST", "starts with a letter"],
    [{ ENABLE_ARCHON_RAG: "perhaps" }, "ENABLE_ARCHON_RAG", "true or false"],
    [{ GANGLION_INTELLIGENCE_SHARE: "101" }, "GANGLION_INTELLIGENCE_SHARE", "from 0 to 100"],
    [
      { ENABLE_EVENT_INTELLIGENCE: "false", ENABLE_FILESYSTEM_FALLBACK: "false" },
      "ENABLE_FILESYSTEM_FALLBACK",
      "both switched off",
    ],
  ])("refuse %j by the name of the variable, with the fix", (environment, where, message) => {
    const errors = read(environment as Record<string, string>).problems.filter(({ severity }) => severity === "error");
    expect(errors).toEqual([{ severity: "error", where, message: expect.stringContaining(message) }]);
  });

  it("refuse live discovery without an address, and take the library alone without one", () => {
    expect(read({}, {}, "").problems).toEqual([
      { severity: "error", where: "GANGLION_URL", message: expect.stringContaining("no address of an edge") },
    ]);
    expect(read({ KAFKA_ENABLE_INTELLIGENCE: "false" }, {}, "").problems).toEqual([]);
  });

  it("tell that a broker's address is not used, and what counts instead", () => {
    expect(read({ KAFKA_BOOTSTRAP_SERVERS: "localhost:29092" }).problems).toEqual([
      {
        severity: "warning",
        where: "KAFKA_BOOTSTRAP_SERVERS",
        message: expect.stringContaining("edge.url (GANGLION_URL), which is http://127.0.0.1:8787"),
      },
    ]);
  });

  it("take the paths of the old variables, and tell that they are deprecated", () => {
    const { settings, problems } = read({ OMNIARCHON_PATH: "/code/a", OMNINODE_BRIDGE_PATH: "/code/b" });
    expect(settings.paths).toEqual(["/code/a", "/code/b"]);
    expect(problems.map(({ where, severity }) => [where, severity])).toEqual([
      ["OMNIARCHON_PATH", "warning"],
      ["OMNINODE_BRIDGE_PATH", "warning"],
    ]);
  });
});
