import { describe, expect, test } from "vitest";
import { DEFAULT_MONITOR_SETTINGS } from "../../../src/core/hosts/monitors/monitor-settings.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { link, untilEmitted } from "./registry-under-test.ts";

const put = (path: string, body: unknown) =>
  call(path, { method: "PUT", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

describe("the HTTP calls about hosts", () => {
  test("list hosts, show one, and forget a host only when it is down", async () => {
    const eco = freshEcosystem();
    expect(await (await call(`/v1/${eco}/agents`)).json()).toEqual({ agents: [] });
    const host = await link(eco, "gpu-01");
    await untilEmitted(eco, ["Q_AGENT_UP gpu-01"]);
    expect(await (await call(`/v1/${eco}/agents`)).json()).toMatchObject({ agents: [{ host: "gpu-01", state: "up" }] });
    expect(await (await call(`/v1/${eco}/agents/gpu-01`)).json()).toMatchObject({ state: "up", runs: null });
    expect((await problemOf(await call(`/v1/${eco}/agents/nobody`))).status).toBe(404);
    expect((await problemOf(await call(`/v1/${eco}/agents/gpu-01`, { method: "DELETE" }))).status).toBe(409);
    await put(`/v1/${eco}/monitors`, { agent_grace_seconds: 0 });
    host.drop();
    await untilEmitted(eco, ["Q_AGENT_UP gpu-01", "Q_AGENT_DOWN gpu-01"]);
    expect((await call(`/v1/${eco}/agents/gpu-01`, { method: "DELETE" })).status).toBe(204);
    expect(await (await call(`/v1/${eco}/agents`)).json()).toEqual({ agents: [] });
  });
});

describe("the HTTP calls about monitors", () => {
  test("set and show the settings, with defaults for missing fields", async () => {
    const path = `/v1/${freshEcosystem()}/monitors`;
    expect(await (await call(path)).json()).toEqual(DEFAULT_MONITOR_SETTINGS);
    const wanted = { agent_silent_after: 5, health: { memory: null } };
    const expected = {
      ...DEFAULT_MONITOR_SETTINGS,
      agent_silent_after: 5,
      health: { ...DEFAULT_MONITOR_SETTINGS.health, memory: null },
    };
    expect(await (await put(path, wanted)).json()).toEqual(expected);
    expect(await (await call(path)).json()).toEqual(expected);
    expect(await (await put(path, {})).json()).toEqual(DEFAULT_MONITOR_SETTINGS);
  });

  test("refuse invalid settings with a pointer to the field", async () => {
    const path = `/v1/${freshEcosystem()}/monitors`;
    const flapping = { health: { disk: { raise_above: 80, resolve_below: 90 } }, speed: 1 };
    const { status, errors } = await problemOf(await put(path, flapping));
    expect(status).toBe(422);
    expect(errors?.map(({ pointer }) => pointer)).toEqual(expect.arrayContaining(["/health/disk/resolve_below"]));
  });

  test("run all monitors on every host", async () => {
    const eco = freshEcosystem();
    await link(eco, "a");
    await untilEmitted(eco, ["Q_AGENT_UP a"]);
    const answer = await post(`/v1/${eco}/monitors/run`, "");
    expect(await answer.json()).toEqual({ answered: ["a"], silent: [], told: [] });
  });
});
