import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { linkRelay } from "../../../src/workers/bindings/objects.ts";
import { Rng } from "../../faults/rng.ts";
import { freshEcosystem } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { allOf, logOf } from "../log-under-test.ts";
import { LinkedHost } from "./linked-host.ts";

// `npm run relays` is the long run.
const { RELAY_FAULTS, RELAY_SEED } = env as { RELAY_FAULTS?: string; RELAY_SEED?: string };
const faults = Number(RELAY_FAULTS ?? "24");
const seed = Number(RELAY_SEED ?? "20267");
const HOSTS = 4;

it(`hosts over a relay lose nothing and double nothing while the relay and the log are killed ${faults} times (seed ${seed})`, async () => {
  const rng = new Rng(seed);
  const eco = freshEcosystem();
  const relay = () => linkRelay(env, eco, "1");
  const hosts = Array.from({ length: HOSTS }, (_, n) => new LinkedHost(eco, `h${n}`));
  /** Only an object that runs can be put to sleep. */
  const sleep = async (stub: DurableObjectStub & { usage(): Promise<unknown> }) => {
    await stub.usage().catch(() => undefined);
    await evictDurableObject(stub);
  };
  const strike = [
    () => crash(relay()),
    () => crash(relay()),
    () => sleep(relay()),
    () => crash(logOf(eco)),
    () => sleep(logOf(eco)),
  ] as const;
  for (let fault = 0; fault < faults; fault++) {
    for (const host of hosts) if (rng.next() < 0.7) host.emit(rng.between(1, 9));
    // Some calls are under way, and some turns of the objects are over.
    for (let turns = rng.between(0, 12); turns > 0; turns--) await new Promise((resolve) => setTimeout(resolve, 0));
    await rng.pick([...strike])();
  }
  const total = hosts.reduce((sum, { emitted }) => sum + emitted, 0);
  // What lies in the log for a link that the killed log did not serve comes with the round of a minute.
  await logOf(eco).gather([], 1_000);
  await Promise.all(hosts.map((host) => host.rest(total)));
  const log = (await allOf(eco))
    .filter(({ signal }) => signal === "Q_KEPT")
    .map(({ facts }) => `${facts.host}:${facts.n}`);
  for (const { name, emitted } of hosts)
    expect(log.filter((one) => one.startsWith(`${name}:`))).toEqual(
      Array.from({ length: emitted }, (_, n) => `${name}:${n + 1}`),
    );
  expect(log).toHaveLength(total);
  for (const host of hosts) expect(host.got).toEqual(log);
  for (const host of hosts) host.end();
}, 1_800_000);
