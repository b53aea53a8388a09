import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { FleetProcess } from "../../../src/core/hosts/fleet.ts";
import { OwedWakes } from "../../../src/durable-objects/hosts/owed-wakes.ts";
import { agentRegistry } from "../../../src/workers/bindings/objects.ts";
import { freshEcosystem } from "../api/calls.ts";

const running: FleetProcess = {
  name: "coder",
  state: "up",
  verdict: "idle",
  task: null,
  waiting_for: null,
  since: null,
  restarts: 0,
  detail: null,
  wakes_on_mail: true,
};

describe("agents that are owed a wake", () => {
  test("are looked at when their own host reports, and no others with them, after a restart, too", async () => {
    const ecosystem = freshEcosystem();
    await runInDurableObject(agentRegistry(env, ecosystem), (_, { storage: { sql } }) => {
      let looked: string[] = [];
      const lookedAt = () => looked.splice(0, looked.length);
      const asleep = new Set<string>();
      const processesOf = (host: string): FleetProcess[] => {
        looked.push(host);
        return [{ ...running, state: asleep.has(host) ? "stopped" : "up" }];
      };
      const hosts = Array.from({ length: 500 }, (_each, place) => `host-${place}`);
      const made = () => new OwedWakes({ env, ecosystem, sql, processesOf });
      const first = made();
      first.add(hosts, "coder", "m1");
      expect([first.isDue(), lookedAt().length]).toEqual([false, 500]);
      expect([first.isDue(), lookedAt()]).toEqual([false, []]);
      first.reported("host-7");
      first.reported("a-host-that-owes-nothing");
      expect([first.isDue(), lookedAt()]).toEqual([false, ["host-7"]]);
      // What was reported while the object slept is not known to it: all are looked at once.
      const second = made();
      expect([second.isDue(), lookedAt().length]).toEqual([false, 500]);
      asleep.add("host-9");
      second.reported("host-9");
      expect([second.isDue(), lookedAt()]).toEqual([true, ["host-9"]]);
      looked = [];
    });
  });
});
