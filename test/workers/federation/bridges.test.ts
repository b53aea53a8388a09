import { describe, expect, test, vi } from "vitest";
import type { BridgeView } from "../../../src/core/federation/bridge.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, problemOf } from "../api/calls.ts";
import { aSignal, logOf } from "../log-under-test.ts";
import { putRule, read, send } from "../policy/policies-under-test.ts";
import { forwardedTo, forwarding } from "./federation-under-test.ts";

vi.setConfig({ testTimeout: 60_000 });
const listed = async (eco: string) => (await read<{ bridges: BridgeView[] }>(`/v1/${eco}/bridges`)).bridges;

describe("bridge", () => {
  test("forwards the signals of its names that meet its condition, under the name that it gives them", async () => {
    const [a, b] = [freshEcosystem(), freshEcosystem()];
    const bridge = { to: b, signals: ["X_*", "!X_NO"], where: "facts.n > 1", signal: "Y_FROM_A" };
    const made = await send("PUT", `/v1/${a}/bridges/up`, bridge);
    expect(made.status).toBe(200);
    expect(await made.json()).toMatchObject({
      name: "up",
      ...bridge,
      enabled: true,
      waiting: 0,
      changed_by: "ADMIN_TOKEN",
    });
    const signals = [
      aSignal("X_A", { n: 1 }),
      aSignal("X_A", { n: 2 }),
      aSignal("X_NO", { n: 3 }),
      aSignal("X_B", { n: 4 }),
    ];
    await logOf(a).append({ signals });
    const arrived = async () => (await forwardedTo(b)).map(({ signal, facts }) => [signal, facts.n]);
    await expect.poll(arrived, { timeout: 45_000 }).toEqual([
      ["Y_FROM_A", 2],
      ["Y_FROM_A", 4],
    ]);
    expect(await listed(a)).toMatchObject([{ name: "up", to: b }]);
  });

  test("is replaced and deleted by its name, and other rules are no bridges", async () => {
    const [a, b] = [freshEcosystem(), freshEcosystem()];
    await putRule(a, "up", forwarding("X_A", b));
    await putRule(a, "bridge-own", forwarding("X_A", b, { cooldown: "1m" }));
    expect(await listed(a)).toEqual([]);
    await send("PUT", `/v1/${a}/bridges/up`, { to: b, signals: "X_A" });
    await send("PUT", `/v1/${a}/bridges/up`, { to: b, signals: "X_B", enabled: false });
    expect(await listed(a)).toMatchObject([{ name: "up", signals: ["X_B"], enabled: false }]);
    expect((await send("DELETE", `/v1/${a}/bridges/own`)).status).toBe(404);
    expect((await send("DELETE", `/v1/${a}/bridges/up`)).status).toBe(204);
    expect((await send("DELETE", `/v1/${a}/bridges/up`)).status).toBe(404);
    expect(await listed(a)).toEqual([]);
  });

  test("is refused with the place of what is wrong, and without the right in the other ecosystem", async () => {
    const [a, b] = [freshEcosystem(), freshEcosystem()];
    const errors = async (body: object) =>
      (await problemOf(await send("PUT", `/v1/${a}/bridges/up`, body))).errors?.map(({ pointer }) => pointer);
    expect(await errors({ to: "No", signals: "X_A" })).toEqual(["/to"]);
    expect(await errors({ to: b })).toEqual(["/signals"]);
    expect(await errors({ to: b, signals: "X_A", where: "facts.n >" })).toEqual(["/where"]);
    expect(await errors({ to: a, signals: "X_A" })).toEqual(["/to"]);
    const { token } = await makeToken(a, ["policy:write", "signals:write"]);
    const body = JSON.stringify({ to: b, signals: "X_A" });
    const headers = { "Content-Type": "application/json" };
    const refused = await problemOf(await call(`/v1/${a}/bridges/up`, { method: "PUT", token, body, headers }));
    expect(refused).toMatchObject({ status: 403, scope: "signals:write", ecosystem: b });
  });
});
