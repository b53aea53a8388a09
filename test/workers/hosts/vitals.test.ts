import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { type EdgeRound, EdgeVitals, type VitalChange } from "../../../src/core/hosts/edge-vitals.ts";
import { ProjectionNudge } from "../../../src/durable-objects/signals/projection-nudge.ts";
import { everyMinute } from "../../../src/workers/cron.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { link, registryOf, state } from "./registry-under-test.ts";

/** A linked host that judges the edge by what comes over its link, and by a clock of its own. */
async function host(eco: string, name: string) {
  let steadyMs = 0;
  const at = () => ({ steadyMs, wallMs: Date.now() });
  const vitals = new EdgeVitals({ edgeMs: 120_000, cronPeriods: 2, queueMs: 180_000 }, {}, at());
  const rounds: (EdgeRound | undefined)[] = [];
  const told: string[] = [];
  const note = () => told.push(...vitals.drain().map(({ part, state: is }: VitalChange) => `${part} ${is}`));
  const opened = await link(eco, name, (frame) => {
    const { edge } = frame as unknown as { edge?: EdgeRound };
    rounds.push(edge);
    vitals.asked(edge, at());
    note();
    return {};
  });
  vitals.linked(at());
  return {
    told,
    rounds,
    opened,
    pass(ms: number): void {
      steadyMs += ms;
      vitals.advance(at());
      note();
    },
    lost(): void {
      vitals.lost("cut off", at());
      note();
    },
    linkedAgain(): void {
      vitals.linked(at());
      note();
    },
  };
}

it("has every host tell within two periods that the cron stands still, and once that it is back", async () => {
  const eco = freshEcosystem();
  const hosts = await Promise.all(["a", "b", "c"].map((name) => host(eco, name)));
  await registryOf(eco).tick();
  for (let minute = 0; minute < 3; minute++) {
    for (const one of hosts) one.pass(60_000);
    await everyMinute(env, Date.now());
    await expect.poll(() => hosts.every(({ rounds }) => rounds.at(-1)?.round_ms === 60_000)).toBe(true);
  }
  expect(hosts.map(({ told }) => told)).toEqual([[], [], []]);
  // The cron stops. A person who asks all hosts is no round.
  for (const one of hosts) one.pass(60_000);
  expect((await post(`/v1/${eco}/monitors/run`, {})).status).toBe(200);
  expect(hosts.map(({ rounds }) => rounds.at(-1))).toEqual([undefined, undefined, undefined]);
  for (const one of hosts) one.pass(60_000);
  expect(hosts.map(({ told }) => told)).toEqual([["cron silent"], ["cron silent"], ["cron silent"]]);
  for (const one of hosts) one.pass(600_000);
  await everyMinute(env, Date.now());
  await expect.poll(() => hosts.map(({ told }) => told.join())).toEqual(Array(3).fill("cron silent,cron back"));
});

it("tells of a host that is cut off once on both sides, and once that it is back", async () => {
  const eco = freshEcosystem();
  await post(`/v1/${eco}/monitors`, { agent_grace_seconds: 0 }, { method: "PUT" });
  const one = await host(eco, "a");
  await expect.poll(() => state(eco, "a")).toBe("up");
  one.opened.drop();
  one.lost();
  await expect.poll(() => state(eco, "a")).toBe("down");
  for (let n = 0; n < 5; n++) one.pass(60_000);
  expect(one.told).toEqual(["edge silent"]);
  await link(eco, "a");
  one.linkedAgain();
  await expect.poll(() => state(eco, "a")).toBe("up");
  for (let n = 0; n < 3; n++) await registryOf(eco).tick();
  expect(one.told).toEqual(["edge silent", "edge back"]);
  const presence = async () => {
    const { signals } = await (await call(`/v1/${eco}/signals`)).json<{ signals: { signal: string }[] }>();
    return signals.map(({ signal }) => signal).filter((name) => /^Q_AGENT_(UP|DOWN)$/.test(name));
  };
  // The log has a signal after the state that it tells of.
  await expect.poll(presence).toEqual(["Q_AGENT_UP", "Q_AGENT_DOWN", "Q_AGENT_UP"]);
});

it("names what projections owe by when it began, until they have taken it in", async () => {
  let fails = false;
  const projection = {
    catchUp: async () => {
      if (fails) throw new Error("it is down");
      return 1;
    },
  };
  const namespace = { idFromName: (name: string) => name, get: () => projection };
  const directory = { idFromName: (name: string) => name, get: () => ({ touch: async () => undefined }) };
  const bindings = {
    OBSERVATION_CACHE: namespace,
    POLICY_STATE: namespace,
    WORKER_BOARD: namespace,
    DIRECTORY: directory,
  };
  /** Seconds until those that failed are notified again. */
  const pauses: number[] = [];
  const nudge = new ProjectionNudge({
    env: bindings as never,
    ecosystem: "eco",
    writer: { headSeq: 1, epoch: "e" },
    alarms: { wakeBy: (atMs) => pauses.push(Math.round((atMs - Date.now()) / 1_000)) },
    isSuspended: () => false,
  });
  await nudge.alarm();
  expect(nudge.owedSinceMs).toBeUndefined();
  nudge.expect(["policy"] as never, 1_000);
  nudge.expect(["policy"] as never, 2_000);
  expect(nudge.owedSinceMs).toBe(1_000);
  await nudge.alarm();
  expect(nudge.owedSinceMs).toBeUndefined();
  fails = true;
  nudge.expect(["policy"] as never, 3_000);
  for (let attempt = 0; attempt < 3; attempt++) {
    await nudge.alarm();
    nudge.expect(["policy"] as never, 4_000 + attempt);
    expect(nudge.owedSinceMs).toBe(3_000);
  }
  expect(pauses).toEqual([2, 4, 8]);
  fails = false;
  await nudge.run();
  expect(nudge.owedSinceMs).toBeUndefined();
});
