import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { topicsOf } from "../../../src/core/intelligence/topics.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { first } from "../../harness/until.ts";

const { request: REQUESTED, completed: COMPLETED, failed: FAILED } = topicsOf("development");
const NODES = join(PROJECT_ROOT, "examples", "nodes");

interface Host {
  readonly root: string;
  readonly stateDir: string;
}

let edge: RunningEdge;
let a: Host;

/** A host that has the example's nodes below a code root of its own. */
async function runHost(host: string): Promise<Host> {
  const directory = temporaryDirectory();
  const root = join(directory, "code");
  cpSync(NODES, join(root, "nodes"), { recursive: true });
  writeFileSync(join(directory, "outside_effect.py"), "class Outside: pass\n");
  symlinkSync(join(directory, "outside_effect.py"), join(root, "node_link_effect.py"));
  symlinkSync(directory, join(root, "linked"));
  writeFileSync(join(root, "node_binary_effect.py"), Buffer.from([0x50, 0, 0x51]));
  writeFileSync(join(root, "node_huge_effect.py"), Buffer.alloc(2 * 1024 * 1024, "#"));
  const config = join(directory, "agent.yaml");
  writeFileSync(config, "intelligence:\n  roots: [code]\n");
  const { stateDir } = await runAgent(edge, { host, env: { GANGLION_CONFIG: config } });
  return { root, stateDir };
}

type Reply = {
  readonly event_type: string;
  readonly correlation_id: string;
  readonly payload: Record<string, unknown>;
};

async function call(payload: unknown, recipient = "*"): Promise<Reply> {
  const reply = await edge.client().queues.call("intelligence", recipient, REQUESTED, payload, { timeoutMs: 30_000 });
  return reply.result as Reply;
}

const patterns = (more: object = {}) => ({
  source_path: "node_*_effect.py",
  language: "python",
  operation_type: "PATTERN_EXTRACTION",
  ...more,
});

beforeAll(async () => {
  edge = await runEdge();
  [a] = await Promise.all([runHost("host-a"), runHost("host-b")]);
  for (const host of ["host-a", "host-b"])
    await eventually(async () => {
      const { payload } = await call(patterns(), host);
      expect(payload.searched).toMatchObject({ complete: true });
    });
});

describe("a request for patterns", () => {
  it("is answered from the code below the roots, the complete file with more than 0.9", async () => {
    const { event_type, payload } = await call({
      correlation_id: "c-1",
      event_type: "CODE_ANALYSIS_REQUESTED",
      payload: patterns(),
    });
    expect(event_type).toBe("CODE_ANALYSIS_COMPLETED");
    expect(payload).toMatchObject({
      operation_type: "PATTERN_EXTRACTION",
      total_count: 1,
      truncated: false,
      // The link is not there, the broken, the binary and the huge file have failed.
      searched: { roots: 1, files_matched: 5, files_failed: 3 },
    });
    const [pattern] = payload.patterns as { file_path: string; confidence: number; host: string }[];
    expect(pattern?.file_path).toMatch(/code\/nodes\/node_user_store_effect\.py$/);
    expect(pattern?.confidence).toBeGreaterThan(0.9);
    expect(["host-a", "host-b"]).toContain(pattern?.host);
  });

  it("gives less trusted files where they are asked for", async () => {
    const { payload } = await call(patterns({ options: { quality_threshold: 0 } }));
    expect(payload.total_count).toBe(2);
  });

  it("is answered from a cache when it is repeated, until a file changes", async () => {
    await call(patterns({ source_path: "node_*_compute.py" }), "host-a");
    const again = await call(patterns({ source_path: "node_*_compute.py" }), "host-a");
    expect(again.payload).toMatchObject({ cache_hit: true, total_count: 1 });
    const text = readFileSync(join(NODES, "node_order_total_compute.py"));
    writeFileSync(join(a.root, "node_later_compute.py"), text);
    await eventually(async () => {
      const { payload } = await call(patterns({ source_path: "node_*_compute.py" }), "host-a");
      expect(payload).toMatchObject({ total_count: 2 });
    });
  });

  it("finds a file in a directory that is made later, and none in one that is removed", async () => {
    const directory = join(a.root, "deep", "er");
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "node_new_reducer.py"), readFileSync(join(NODES, "node_daily_sales_reducer.py")));
    const found = async () => (await call(patterns({ source_path: "node_new_*.py" }), "host-a")).payload.total_count;
    await eventually(async () => expect(await found()).toBe(1));
    const { rmSync } = await import("node:fs");
    rmSync(join(a.root, "deep"), { recursive: true });
    await eventually(async () => expect(await found()).toBe(0));
  });

  it("of all hosts is one answer, in which each pattern names its host", async () => {
    const { payload } = await call(patterns({ options: { all_hosts: true } }));
    const hosts = (payload.patterns as { host: string }[]).map(({ host }) => host).toSorted();
    expect(hosts).toEqual(["host-a", "host-b"]);
    expect(payload).toMatchObject({ total_count: 2, searched: { roots: 2, hosts_failed: [] } });
  });
});

describe("a request for an analysis", () => {
  it("is answered with figures of the file below a root", async () => {
    const { payload } = await call({ source_path: "nodes/node_user_store_effect.py" });
    expect(payload).toMatchObject({ onex_compliance: 1, issues_count: 0, results_summary: { security_issues: 0 } });
  });

  it("is answered about code that it brings along", async () => {
    const { payload } = await call({ source_path: "a.py", content: "eval('1')\n" });
    expect(payload).toMatchObject({ source_path: "a.py", results_summary: { security_issues: 1 } });
  });

  it.each([
    [{ source_path: "../outside_effect.py" }, "INVALID_INPUT"],
    [{ source_path: "/etc/passwd" }, "INVALID_INPUT"],
    [{ source_path: "linked/outside_effect.py" }, "INVALID_INPUT"],
    [{ source_path: "node_link_effect.py" }, "INVALID_INPUT"],
    [{ source_path: "  " }, "INVALID_INPUT"],
    [{ source_path: "a.rb", content: "puts 1" }, "UNSUPPORTED_LANGUAGE"],
    [{ source_path: "a.py", content: "def (" }, "PARSING_ERROR"],
    [{ source_path: "a.py", operation_type: "INFRASTRUCTURE_SCAN" }, "INVALID_OPERATION"],
    [{ source_path: "node_huge_effect.py" }, "INVALID_INPUT"],
  ])("%j fails with %s, which may not be tried again", async (payload, code) => {
    const { event_type, payload: failed } = await call(payload);
    expect(event_type).toBe("omninode.intelligence.event.code_analysis_failed.v1");
    expect(failed).toMatchObject({ error_code: code, retry_allowed: false, retry_count: 0 });
    expect(failed.error_message).not.toBe("");
    expect(JSON.stringify(failed.error_details)).not.toContain("/");
  });
});

describe("a request that comes as a signal", () => {
  const emit = async (facts: Record<string, unknown>) => {
    const client = edge.client();
    const { signals } = await client.signals({ order: "desc", limit: 1 });
    const after = signals[0]?.seq ?? 0;
    const { last_seq } = await client.emit({ signal: REQUESTED, source: "asker", facts });
    const { signals: emitted } = await client.signals({ after: (last_seq ?? 1) - 1, limit: 1 });
    return { after, id: emitted[0]?.id ?? "" };
  };
  const answerTo = (correlation: string, after: number) =>
    first(
      edge.client().follow({ after, signals: [COMPLETED, FAILED] }),
      ({ facts }: Signal) => facts.correlation_id === correlation,
      "an answer",
    );

  it("is answered once, by a signal that follows from it", async () => {
    const correlation = crypto.randomUUID();
    const { after, id } = await emit({
      correlation_id: correlation,
      event_type: "code_analysis_requested",
      event_id: "11111111-1111-4111-8111-111111111111",
      payload: patterns(),
    });
    const answer = await answerTo(correlation, after);
    expect(answer).toMatchObject({
      signal: COMPLETED,
      cause: id,
      source: expect.stringMatching(/^intelligence\/host-[ab]$/),
    });
    expect(answer.facts).toMatchObject({
      event_type: "code_analysis_completed",
      causation_id: "11111111-1111-4111-8111-111111111111",
      payload: { total_count: 1 },
    });
    const lineage = await edge.client().lineage(id);
    expect(lineage.effects.filter(({ signal }) => signal === COMPLETED)).toHaveLength(1);
    // Both hosts have put it into the queue: a second request is answered after the first one's second answer would be.
    const later = crypto.randomUUID();
    const second = await emit({ correlation_id: later, payload: patterns() });
    await answerTo(later, second.after);
    const { signals } = await edge.client().signals({ signals: [COMPLETED], after, limit: 100 });
    expect(signals.filter(({ facts }) => facts.correlation_id === correlation)).toHaveLength(1);
  });

  it("fails by the other signal", async () => {
    const correlation = crypto.randomUUID();
    const { after } = await emit({ correlation_id: correlation, payload: { source_path: "/etc/shadow" } });
    expect(await answerTo(correlation, after)).toMatchObject({
      signal: FAILED,
      facts: { payload: { error_code: "INVALID_INPUT" } },
    });
  });
});

describe("a call", () => {
  it("is in the log, without the lists that its caller has", async () => {
    const correlation = crypto.randomUUID();
    const after = (await edge.client().signals({ order: "desc", limit: 1 })).signals[0]?.seq ?? 0;
    await call({ correlation_id: correlation, event_type: "code_analysis_requested", payload: patterns() });
    const recorded = await first(
      edge.client().follow({ after, signals: [COMPLETED] }),
      ({ facts }) => facts.correlation_id === correlation,
      "the record of a call",
    );
    expect(recorded.facts.payload).toMatchObject({ total_count: 1, answered_call: true });
    expect(recorded.facts.payload).not.toHaveProperty("patterns");
  });

  it("of the health says who is there", async () => {
    const { result } = await edge.client().queues.call("intelligence", "*", "code-analysis-health", null);
    expect(result).toMatchObject({ ready: true, roots: 1, host: expect.stringMatching(/^host-[ab]$/) });
  });

  it("of another type is refused with the types that are answered", async () => {
    await expect(edge.client().queues.call("intelligence", "*", "other", null)).rejects.toThrow(
      /it answers dev\.archon/,
    );
  });
});
