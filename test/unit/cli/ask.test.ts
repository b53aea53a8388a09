import { describe, expect, it } from "vitest";
import { writeEvent } from "../../../src/core/intelligence/envelope.ts";
import { type FakeEdge, type Received, startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

interface CallBody {
  readonly type: string;
  readonly correlation_id: string;
  readonly payload: { readonly correlation_id: string; readonly payload: Record<string, unknown> } | null;
}

/** An edge on which a host answers each request with this payload. */
function edgeWith(payload: Record<string, unknown>, event: "completed" | "failed" = "completed"): Promise<FakeEdge> {
  return startEdge(({ body }: Received) => {
    const { correlation_id, payload: asked } = body as CallBody;
    const answer = writeEvent(
      event,
      { correlationId: asked?.correlation_id ?? "", payload },
      { eventId: "e", service: "s", instanceId: "h", nowMs: 0 },
    );
    return [200, { correlation_id, result: asked === null ? {} : answer, responder: "h", duration_ms: 1 }];
  });
}
const asked = ({ received }: FakeEdge) => (received.at(-1)?.body as CallBody | undefined)?.payload?.payload;

const PATTERN = { file_path: "/code/node_a_effect.py", confidence: 0.95, node_type: "EFFECT", host: "gpu-1" };

describe("ganglion ask", () => {
  it("patterns: asks for files and shows them", async () => {
    const edge = await edgeWith({ source_path: "x", patterns: [PATTERN], total_count: 7, truncated: true });
    const args = ["ask", "patterns", "node_*_effect.py", "--domain", "user", "--limit", "1", "--all-hosts"];
    const { code, out, err } = await ganglion(args, { env: { GANGLION_URL: edge.url } });
    expect(code).toBe(0);
    expect(out).toMatch(/0\.95\s+EFFECT\s+-\s+-\s+gpu-1\s+\/code\/node_a_effect\.py/);
    expect(err).toContain("1 of 7");
    expect(asked(edge)).toMatchObject({
      source_path: "node_*_effect.py",
      operation_type: "PATTERN_EXTRACTION",
      options: { domain: "user", limit: 1, all_hosts: true },
    });
  });

  it("analysis: sends the contents of a file and shows figures and issues", async () => {
    const edge = await edgeWith({
      source_path: "a.py",
      quality_score: 0.8,
      issues: [{ rule: "bare-except", message: "catches all", line: 3 }],
      recommendations: ["Name the errors."],
    });
    const { out } = await ganglion(["ask", "analysis", "a.py", "--file", "package.json"], {
      env: { GANGLION_URL: edge.url },
    });
    expect(out).toMatch(/quality\s+0\.8/);
    expect(out).toMatch(/3\s+bare-except\s+catches all/);
    expect(out).toContain("- Name the errors.");
    expect(asked(edge)?.content).toContain('"name": "ganglion"');
  });

  it("similar: ranks what the hosts have", async () => {
    const edge = await edgeWith({ source_path: "x", patterns: [PATTERN] });
    const { out } = await ganglion(["--json", "ask", "similar", "--node-type", "effect", "--domain", "a"], {
      env: { GANGLION_URL: edge.url },
    });
    expect(JSON.parse(out)).toMatchObject({ path: PATTERN.file_path, similarity: 1, source: "event_based_discovery" });
  });

  it("says why a request failed", async () => {
    const edge = await edgeWith({ error_message: "outside of the roots", error_code: "INVALID_INPUT" }, "failed");
    const { code, err } = await ganglion(["ask", "patterns", "/etc"], { env: { GANGLION_URL: edge.url } });
    expect(code).toBe(1);
    expect(err).toContain("outside of the roots");
  });

  it("context: gathers without an edge, and says so", async () => {
    const args = ["--json", "ask", "context", "--node-type", "EFFECT", "--domain", "kafka", "--offline"];
    const { code, out } = await ganglion(args);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      confidence_score: 0.7,
      rag_sources: ["builtin_pattern_library"],
      fallback_reason: "live_off",
      required_mixins: ["MixinRetry", "MixinCircuitBreaker", "MixinEventBus"],
    });
  });

  it("context: goes on with the library where no edge answers", async () => {
    const { code, out, err } = await ganglion(["--json", "ask", "context", "--node-type", "REDUCER"], {
      env: { GANGLION_URL: "http://127.0.0.1:9" },
    });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ confidence_score: 0.7, fallback_reason: "connection_failed" });
    expect(err).toContain("no live answer (connection_failed)");
  });

  it.each([
    [{ KAFKA_REQUEST_TIMEOUT_MS: "soon" }, "KAFKA_REQUEST_TIMEOUT_MS: give milliseconds"],
    [{ KAFKA_TOPIC_REQUEST: "a b" }, "KAFKA_TOPIC_REQUEST: a topic starts"],
  ])("refuses the settings %j by their variable", async (env, message) => {
    const { code, err } = await ganglion(["ask", "context", "--node-type", "EFFECT", "--offline"], { env });
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it("refuses an unknown type of node", async () => {
    const { code, err } = await ganglion(["ask", "context", "--node-type", "GATEWAY", "--offline"]);
    expect(code).toBe(2);
    expect(err).toContain("EFFECT, COMPUTE, REDUCER, ORCHESTRATOR");
  });
});
