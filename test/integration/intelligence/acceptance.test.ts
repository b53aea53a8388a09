import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { type Worker, work } from "../../../src/client/work/worker.ts";
import { CALL_TYPES } from "../../../src/core/intelligence/call-types.ts";
import type { IntelligenceContext } from "../../../src/core/intelligence/context.ts";
import { readRequest, writeEvent } from "../../../src/core/intelligence/envelope.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { freePort } from "../../harness/free-port.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";

/**
 * What a program that generates nodes was promised, with an edge, two hosts that have code, and askers in Node and in Python
 * as processes. Beside it: the end of a client once and for all in test/unit/intelligence/asking.test.ts, many askers whose
 * answers are delayed, doubled and reordered in test/faults/intelligence/, and the time of an answer in `npm run bench`.
 */
let edge: RunningEdge;
let scripted: Worker;

const TWO = [
  { file_path: "nodes/node_a_effect.py", confidence: 0.9 },
  { file_path: "nodes/node_b_effect.py", confidence: 0.85 },
];
const LATE_MS = 1_500;

const ASKERS = [
  ["Node", { command: process.execPath, script: "test/integration/intelligence/asker.ts" }],
  ["Python", { command: "python3", script: "test/integration/intelligence/asker.py" }],
] as const;

/** What an asker that is a process of its own says to each of these. */
async function asking({ command, script }: (typeof ASKERS)[number][1], ...operations: object[]): Promise<unknown[]> {
  const { url: GANGLION_URL, token: GANGLION_TOKEN } = edge;
  const running = new RunningProcess([script, ...operations.map((each) => JSON.stringify(each))], {
    command,
    env: { GANGLION_URL, GANGLION_TOKEN },
  });
  expect([await running.ended, running.lines]).toEqual([0, running.lines]);
  return running.lines.filter((line) => /^[[{]/.test(line)).map((line): unknown => JSON.parse(line));
}

beforeAll(async () => {
  edge = await runEdge();
  const { url, token } = edge;
  scripted = work(
    "scripted",
    "scripted",
    async ({ type, payload }) => {
      if (type === CALL_TYPES.health) return { ready: true };
      const read = readRequest(payload);
      if (!read.ok) throw new Error("the request cannot be read");
      const { correlationId = "", payload: asked } = read.request;
      if (asked.source_path === "late") await pause(LATE_MS);
      return writeEvent(
        "completed",
        {
          correlationId,
          payload: { source_path: asked.source_path, patterns: TWO, request_correlation_id: correlationId },
        },
        { eventId: crypto.randomUUID(), service: "scripted", instanceId: "scripted", nowMs: Date.now() },
      );
    },
    { url, token },
  );
  // A queue is there for whoever asks about it as soon as it has settings.
  for (const queue of ["scripted", "intelligence"]) await edge.client().queues.configure(queue, {});
  const hosts = ["host-a", "host-b"];
  await Promise.all(
    hosts.map(async (host) => {
      const directory = temporaryDirectory();
      cpSync(join(PROJECT_ROOT, "examples", "nodes"), join(directory, "code", "nodes"), { recursive: true });
      const config = join(directory, "agent.yaml");
      writeFileSync(config, "intelligence:\n  roots: [code]\n");
      await runAgent(edge, { host, env: { GANGLION_CONFIG: config } });
    }),
  );
  await eventually(async () =>
    expect(Object.keys((await edge.client().queues.status("intelligence")).workers).toSorted()).toEqual(hosts),
  );
});

afterAll(() => scripted.stop());

const REQUEST = {
  node_type: "EFFECT",
  domain: "database",
  service_name: "TestWriter",
  operations: ["create", "update"],
};

describe.each(ASKERS)("an asker in %s", (_, asker) => {
  it("gets both patterns with their paths and confidences, under the correlation id that it sent, is told of a late responder and of a healthy one", async () => {
    const queue = "scripted";
    expect(
      await asking(
        asker,
        { ask: "health", queue },
        { ask: "patterns", queue, source_path: "node_*_effect.py" },
        { ask: "patterns", queue, source_path: "late", timeout_ms: 1_000 },
      ),
    ).toEqual([
      { healthy: true },
      { patterns: TWO, same_correlation_id: true, sent_to_responder: true },
      { error: "timeout" },
    ]);
  });

  it("gets a context of more than 0.9 with a live example, from a host's code", async () => {
    const [context] = await asking(asker, { ask: "context", request: REQUEST });
    expect(context).toMatchObject({
      fallback_reason: null,
      rag_sources: ["event_based_discovery", "builtin_pattern_library"],
    });
    const { confidence_score, production_examples } = context as IntelligenceContext;
    expect(confidence_score).toBeGreaterThan(0.9);
    expect(production_examples.map(({ file_path }) => file_path)).toContainEqual(
      expect.stringMatching(/code\/nodes\/node_user_store_effect\.py$/),
    );
  });
});

describe("an asker of an edge that is not there", () => {
  it("gets exactly 0.7 from the library alone", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const [context] = await asking(ASKERS[0][1], { ask: "context", request: REQUEST, url, timeout_ms: 1_000 });
    expect(context).toMatchObject({
      confidence_score: 0.7,
      rag_sources: ["builtin_pattern_library"],
      fallback_reason: "connection_failed",
    });
  });
});

describe("an asker that gathers a hundred times", () => {
  it("is answered by live hosts each time", async () => {
    const [contexts] = await asking(ASKERS[0][1], { ask: "contexts", request: REQUEST, times: 100 });
    const live = (contexts as IntelligenceContext[]).filter(({ rag_sources }) =>
      rag_sources.includes("event_based_discovery"),
    );
    expect(live).toHaveLength(100);
  });
});
