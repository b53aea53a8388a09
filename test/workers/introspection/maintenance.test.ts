import { evictDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { follow, observationsOf } from "../log-under-test.ts";

const observe = async (eco: string, count: number, facts: Record<string, unknown>) => {
  const body = Array.from({ length: count }, () => ({
    signal: "OBSERVATION",
    source: "t",
    facts: { zooid: "r", ...facts },
  }));
  const answer = (await (await post(`/v1/${eco}/signals`, body)).json()) as { last_seq: number };
  await observationsOf(eco).catchUp(answer.last_seq);
};
const put = (eco: string, body: unknown) => post(`/v1/${eco}/maintenance`, body, { method: "PUT" });
const gapsOf = async (eco: string) =>
  ((await (await call(`/v1/${eco}/gaps`)).json()) as { gaps: { name: string }[] }).gaps;

describe("maintenance", () => {
  test("judges nothing, keeps taking in, outlives a restart, and ends without stale gaps", async () => {
    const eco = freshEcosystem();
    const stream = await follow(eco, ["CAPABILITY_GAP*", "Q_MAINTENANCE_CHANGED"]);
    expect(await (await call(`/v1/${eco}/maintenance`)).json()).toEqual({
      enabled: false,
      reason: null,
      since: null,
      by: null,
    });
    const on = (await (await put(eco, { enabled: true, reason: "moving" })).json()) as { since: string };
    expect(on).toMatchObject({ enabled: true, reason: "moving", by: "ADMIN_TOKEN" });
    expect((await stream.next()).facts).toMatchObject({ enabled: true, reason: "moving", by: "ADMIN_TOKEN" });
    await observe(eco, 20, { cpu_percent: 99 });
    expect(await gapsOf(eco)).toEqual([]);
    await evictDurableObject(observationsOf(eco));
    expect(await (await call(`/v1/${eco}/maintenance`)).json()).toEqual(on);
    expect(await gapsOf(eco)).toEqual([]);
    expect(await (await call(`/v1/${eco}/observations`)).json()).toMatchObject({ size: 20 });

    expect((await put(eco, { enabled: false })).status).toBe(200);
    expect((await stream.next()).facts).toMatchObject({ enabled: false, before: { enabled: true, reason: "moving" } });
    expect(await gapsOf(eco)).toEqual([]);
    await evictDurableObject(observationsOf(eco));
    expect(await gapsOf(eco)).toEqual([]);
    await observe(eco, 5, { cpu_percent: 99 });
    expect(await stream.next()).toMatchObject({ signal: "CAPABILITY_GAP", facts: { metadata: { sample_count: 5 } } });
    expect(stream.waiting).toEqual([]);
  });

  test.each([
    [{}, "/enabled"],
    [{ enabled: true, why: "x" }, "/why"],
    [{ enabled: true, reason: 5 }, "/reason"],
  ])("refuses %j and points at %s", async (body, pointer) => {
    const { status, errors } = await problemOf(await put("refusals", body));
    expect([status, errors?.[0]?.pointer]).toEqual([422, pointer]);
  });
});

describe("the window's settings", () => {
  test("count at once, are kept, and are told of", async () => {
    const eco = freshEcosystem();
    const stream = await follow(eco, ["Q_OBSERVATION_SETTINGS_CHANGED"]);
    await observe(eco, 150, { n: 1 });
    const path = `/v1/${eco}/observations/settings`;
    const patch = (body: unknown) => post(path, body, { method: "PATCH" });
    expect(await (await patch({ window_seconds: 3_600, window_capacity: 100 })).json()).toMatchObject({
      window_seconds: 3_600,
      window_capacity: 100,
      flap_seconds: 60,
    });
    expect((await stream.next()).facts).toMatchObject({
      before: { window_seconds: 300 },
      after: { window_seconds: 3_600 },
      by: "ADMIN_TOKEN",
    });
    await evictDurableObject(observationsOf(eco));
    expect(await (await call(path)).json()).toMatchObject({ window_capacity: 100 });
    expect(await (await call(`/v1/${eco}/observations?seconds=3600`)).json()).toMatchObject({
      size: 100,
      window_seconds: 3_600,
    });
    const { status, errors } = await problemOf(await patch({ window_capacity: 200_001, nothing: 1 }));
    expect([status, errors?.map(({ pointer }) => pointer)]).toEqual([422, ["/window_capacity", "/nothing"]]);
  });
});
