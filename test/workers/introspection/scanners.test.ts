import { evictDurableObject } from "cloudflare:test";
import { describe, expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { ALL_SCANNERS } from "../../../src/core/introspection/scanners/all-scanners.ts";
import { type ScannerKind, scannerKind } from "../../../src/core/introspection/scanners/scanner.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { follow, observationsOf } from "../log-under-test.ts";

const observe = async (eco: string, count: number, facts: Record<string, unknown>) => {
  const body = Array.from({ length: count }, () => ({
    signal: "OBSERVATION",
    source: "t",
    facts: { zooid: "r", ...facts },
  }));
  expect((await post(`/v1/${eco}/signals`, body)).status).toBe(202);
};
const patch = (path: string, body: unknown) =>
  post(path, body, { method: "PATCH" }).then(async (response) => ({
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
  }));
const gapsOf = async (eco: string, status = "open") =>
  ((await (await call(`/v1/${eco}/gaps?status=${status}`)).json()) as { gaps: { name: string; metadata: object }[] })
    .gaps;

describe("each scanner, through the API", () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ["slow_inference_chat", { task_type: "chat", tokens_per_sec: 2 }, { task_type: "chat", tokens_per_sec: 90 }],
    [
      "unused_context_tail_r",
      { context_length: 100, references: [5, 10] },
      { context_length: 100, references: [5, 99] },
    ],
    [
      "recency_bias_r",
      { context_length: 100, references: [90, 95] },
      { context_length: 100, references: [1, 2, 3, 95] },
    ],
    ["cpu_bottleneck_r", { cpu_percent: 99 }, { cpu_percent: 2 }],
    ["low_gpu_utilization_r", { gpu_utilization: 2 }, { gpu_utilization: 99 }],
    ["queue_buildup_jobs", { queue_name: "jobs", depth: 500 }, { queue_name: "jobs", depth: 0 }],
    ["slow_operation_query", { operation: "query", duration_ms: 3_000 }, { operation: "query", duration_ms: 3 }],
    ["worse_variant_none_b", { variant: "b", ok: false }, { variant: "b", ok: true }],
  ])("%s is raised once and resolved once", async (name, bad, good) => {
    const eco = freshEcosystem();
    const stream = await follow(eco, ["CAPABILITY_GAP*"]);
    if (name.startsWith("worse_variant")) await observe(eco, 20, { variant: "a", ok: true });
    await observe(eco, 12, bad);
    const raised = await stream.next();
    expect(raised).toMatchObject({ signal: "CAPABILITY_GAP", facts: { gap_name: name } });
    expect(raised.facts.metadata).toMatchObject({
      sample_count: expect.any(Number),
      threshold: expect.any(Number),
      reporters: ["r"],
      first_seq: expect.any(Number),
      last_seq: expect.any(Number),
    });
    await observe(eco, 1, bad);
    expect((await gapsOf(eco)).map((gap) => gap.name)).toContain(name);
    await observe(eco, 400, good);
    let resolved: Signal;
    do resolved = await stream.next();
    while (resolved.facts.gap_name !== name);
    expect(resolved).toMatchObject({ signal: "CAPABILITY_GAP_RESOLVED", cause: raised.id });
    expect((await gapsOf(eco)).map((gap) => gap.name)).not.toContain(name);
    const known = await call(`/v1/${eco}/gaps?status=resolved&name=${name}`);
    expect(await known.json()).toMatchObject({
      gaps: [{ name, status: "resolved", fingerprint: raised.facts.fingerprint }],
    });
  });
});

describe("PATCH /scanners/{id}", () => {
  test("changes a threshold at once, keeps it, and says who did", async () => {
    const eco = freshEcosystem();
    const stream = await follow(eco, ["CAPABILITY_GAP*", "Q_SCANNER_CHANGED"]);
    await observe(eco, 6, { cpu_percent: 70 });
    const change = { settings: { cpu_percent_above: 60, cpu_percent_clear: 55 } };
    const { status, body } = await patch(`/v1/${eco}/scanners/resource_utilization`, change);
    expect([status, body]).toMatchObject([
      200,
      { enabled: true, settings: { cpu_percent_above: 60, gpu_percent_below: 50 } },
    ]);
    expect(await stream.next()).toMatchObject({
      signal: "Q_SCANNER_CHANGED",
      facts: {
        scanner: "resource_utilization",
        before: { enabled: true, settings: { cpu_percent_above: 90 } },
        after: { enabled: true, settings: { cpu_percent_above: 60 } },
        by: "ADMIN_TOKEN",
      },
    });
    expect((await stream.next()).facts.gap_name).toBe("cpu_bottleneck_r");
    await evictDurableObject(observationsOf(eco));
    const after = (await (await call(`/v1/${eco}/scanners`)).json()) as { scanners: { id: string }[] };
    expect(after.scanners.find(({ id }) => id === "resource_utilization")).toMatchObject({
      settings: { cpu_percent_above: 60 },
    });

    await patch(`/v1/${eco}/scanners/resource_utilization`, { enabled: false });
    expect((await stream.next()).signal).toBe("Q_SCANNER_CHANGED");
    expect((await stream.next()).signal).toBe("CAPABILITY_GAP_RESOLVED");
    expect(stream.waiting).toEqual([]);
  });

  test("needs a token that may set policy, and names it", async () => {
    const eco = freshEcosystem();
    const tokenFor = async (name: string, scope: string) => {
      const made = await post("/v1/tokens", { name, scopes: [scope], ecosystems: [eco] });
      return (await made.json()) as { token: string; id: string };
    };
    const path = `/v1/${eco}/scanners/bottleneck`;
    const reader = await tokenFor("dashboard", "signals:read");
    const refused = await post(path, { enabled: false }, { method: "PATCH", token: reader.token });
    expect((await problemOf(refused)).type).toBe("/problems/no-scope");
    const stream = await follow(eco, ["Q_SCANNER_CHANGED"]);
    const operator = await tokenFor("operations", "policy:write");
    expect((await post(path, { enabled: false }, { method: "PATCH", token: operator.token })).status).toBe(200);
    expect((await stream.next()).facts).toMatchObject({ by: "operations", by_id: operator.id });
  });

  test("says nothing when nothing changes", async () => {
    const eco = freshEcosystem();
    await patch(`/v1/${eco}/scanners/bottleneck`, { enabled: true, settings: { depth_above: 100 } });
    expect(await (await call(`/v1/${eco}/signals?signal=Q_*`)).json()).toMatchObject({ signals: [] });
  });

  test.each([
    [{ settings: { cpu_percent_above: "much" } }, "/settings/cpu_percent_above"],
    [{ settings: { cpu_percent_above: 101 } }, "/settings/cpu_percent_above"],
    [{ settings: { cpu_percent_above: 50 } }, "/settings/cpu_percent_clear"],
    [{ settings: { nonsense: 1 } }, "/settings/nonsense"],
    [{ enabled: 1 }, "/enabled"],
    [{ settings: [] }, "/settings"],
    [{ disabled: true }, "/disabled"],
    [{}, ""],
    [[], ""],
  ])("refuses %j and points at %s", async (change, pointer) => {
    const response = await post("/v1/refusals/scanners/resource_utilization", change, { method: "PATCH" });
    const { status, errors } = await problemOf(response);
    expect([status, errors?.[0]?.pointer]).toEqual([422, pointer]);
  });

  test("404 for a scanner that is not there", async () => {
    const response = await post("/v1/refusals/scanners/nothing", { enabled: true }, { method: "PATCH" });
    expect((await problemOf(response)).status).toBe(404);
  });
});

describe("a hostile scanner", () => {
  const hostile: ScannerKind = scannerKind({
    id: "hostile",
    category: "hostile",
    settings: z.strictObject({}),
    open: () => ({
      observe: () => {},
      forget: () => {},
      findings: () => {
        throw new Error("no thanks");
      },
    }),
  });

  test("is told of as an observation, put aside after three times, shown so, and touches nobody", async () => {
    ALL_SCANNERS.unshift(hostile);
    onTestFinished(() => void ALL_SCANNERS.shift());
    const eco = freshEcosystem();
    const stream = await follow(eco, ["OBSERVATION", "CAPABILITY_GAP"]);
    const heard: Signal[] = [];
    for (let round = 0; heard.filter(({ facts }) => facts.zooid === "hostile").length < 3; round++) {
      if (round === 0) await observe(eco, 6, { cpu_percent: 99 });
      heard.push(await stream.next());
    }
    const failures = heard.filter(({ facts }) => facts.zooid === "hostile");
    expect(failures.map(({ facts }) => facts)).toMatchObject(
      [1, 2, 3].map((times) => ({ ok: false, error: "no thanks", failures: times })),
    );
    await expect.poll(async () => (await gapsOf(eco)).map(({ name }) => name)).toEqual(["cpu_bottleneck_r"]);
    const shown = async () => {
      const { scanners } = (await (await call(`/v1/${eco}/scanners`)).json()) as { scanners: { id: string }[] };
      return scanners.find(({ id }) => id === "hostile");
    };
    const quarantined = { state: "quarantined", failures: 3, last_error: "no thanks", retry_at: expect.any(String) };
    expect(await shown()).toMatchObject(quarantined);
    // The quarantine is a question to the investigators, asked once.
    const asked = async () => {
      const answer = await call(`/v1/${eco}/signals?signal=Q_CURIOSITY_INVESTIGATE`);
      const { signals } = (await answer.json()) as { signals: Signal[] };
      return signals.map(({ facts }) => facts).filter(({ scanner }) => scanner === "hostile");
    };
    await expect
      .poll(asked)
      .toMatchObject([
        { question: expect.stringContaining("scanner hostile"), error: "no thanks", failures: 3, priority: "high" },
      ]);
    await evictDurableObject(observationsOf(eco));
    expect(await shown()).toMatchObject(quarantined);
  });
});
