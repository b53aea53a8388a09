import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";

/** Named at run time: under Node's types the Worker's own sources would not compile. */
const ROUNDS = "../../../src/workers/rounds/rounds-queue.ts";
const CONFIG = join(PROJECT_ROOT, "wrangler.toml");
const NAMED = ["staging", "production"] as const;

/** What the tests look at; the package's own types do not resolve here. */
interface Config {
  readonly name: string;
  readonly durable_objects: { readonly bindings: readonly object[] };
  readonly migrations: readonly object[];
  readonly triggers: object;
  readonly assets: object;
  readonly build: object;
  readonly observability: { readonly enabled: boolean; readonly head_sampling_rate: number };
  readonly vars: object;
  readonly compatibility_date: string;
  readonly compatibility_flags: readonly string[];
  readonly queues: {
    readonly producers: readonly { readonly binding: string; readonly queue: string }[];
    readonly consumers: readonly { readonly queue: string }[];
  };
  readonly ratelimits: readonly { readonly name: string; readonly namespace_id: string; readonly simple: object }[];
}

function read(env?: string): Config {
  return unstable_readConfig(env === undefined ? { config: CONFIG } : { config: CONFIG, env });
}

const all = [read(), ...NAMED.map((env) => read(env))];

const queuesOf = ({ queues }: Config) => queues.producers.map(({ queue }) => queue);

describe("wrangler.toml", () => {
  it.each(NAMED)(
    "gives %s what the deployment without an environment has, but for names of queues and counters",
    (env) => {
      const without = (name: string) => name.replace(`-${env}`, "");
      const general = ({ queues, ratelimits, ...config }: Config) => ({
        objects: config.durable_objects.bindings,
        migrations: config.migrations,
        crons: config.triggers,
        assets: config.assets,
        build: config.build,
        observability: config.observability,
        vars: config.vars,
        flags: [config.compatibility_date, config.compatibility_flags],
        producers: queues.producers.map(({ binding, queue }) => [binding, without(queue)]),
        consumers: queues.consumers.map(({ queue, ...consumer }) => [without(queue), consumer]),
        ratelimits: ratelimits.map(({ name, simple }) => ({ name, simple })),
      });
      expect(general(read(env))).toEqual(general(read()));
    },
  );

  it("shares no name, queue or counter between deployments", () => {
    const names = all.flatMap((config) => [
      config.name,
      ...queuesOf(config),
      ...config.ratelimits.map(({ namespace_id }) => namespace_id),
    ]);
    expect(names).toHaveLength(all.length * 5);
    expect(new Set(names).size).toBe(names.length);
  });

  it("consumes each queue that it sends to, and names the queue of rounds so that the Worker knows it", async () => {
    const { isRoundsQueue } = (await import(ROUNDS)) as { isRoundsQueue: (queue: string) => boolean };
    for (const config of all) {
      expect(config.queues.consumers.map(({ queue }) => queue)).toEqual(queuesOf(config));
      expect(queuesOf(config).map(isRoundsQueue)).toEqual([false, true]);
    }
  });

  it("keeps a share of the calls in the log", () => {
    const { enabled, head_sampling_rate } = read().observability;
    expect([enabled, head_sampling_rate]).toEqual([true, 0.1]);
  });
});
