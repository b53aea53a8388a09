import { describe, expect, it } from "vitest";
import { FeatureInstance } from "../../../local-agent/app/feature-instance.ts";
import { Health } from "../../../local-agent/app/health.ts";
import { MetricRegistries } from "../../../local-agent/app/metric-registries.ts";
import { FeatureRegistrar, type Registries } from "../../../local-agent/app/registrar.ts";
import { HostCommands } from "../../../local-agent/commands/host-commands.ts";
import type { Registrar } from "../../../local-agent/feature/registrar.ts";
import { silent } from "../store/temporary-state.ts";

const registries = (): Registries => ({
  metrics: new MetricRegistries((error) => {
    throw error;
  }),
  commands: new HostCommands(),
  health: new Health(),
  provided: {},
});

function registerEverything(register: Registrar): void {
  register.counter({ name: "things", help: "Things", labels: ["kind"], read: () => [{ kind: "a", value: 2 }] });
  register.gauge({ name: "level", help: "Level", read: () => 7 });
  register.command("thing.do", () => "done");
  register.healthCheck(async () => ({ reason: "the thing is broken", restartHelps: true }));
  register.status(() => ({ things: 2 }));
  register.provide("gpuReadings", () => []);
}

/** What the agent knows of its features. */
async function known({ metrics, commands, health, provided }: Registries) {
  const samples = (await metrics.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return { samples, commands: commands.types, problem: await health.check(), provided: Object.keys(provided) };
}

const NOTHING = { samples: [], commands: [], problem: undefined, provided: [] };

describe("registrar of a feature", () => {
  it("makes known everything that the feature registers", async () => {
    const all = registries();
    const registrar = new FeatureRegistrar(all);
    registerEverything(registrar);
    expect(await known(all)).toEqual({
      samples: ['things_total{kind="a"} 2', "level 7"],
      commands: ["thing.do"],
      problem: { reason: "the thing is broken", restartHelps: true },
      provided: ["gpuReadings"],
    });
    expect(registrar.readStatus?.()).toEqual({ things: 2 });
  });

  it("takes back everything that the feature registered, and nothing of another one", async () => {
    const all = registries();
    const other = new FeatureRegistrar(all);
    other.gauge({ name: "other", help: "Other", read: () => 1 });
    other.command("other.do", () => "done");
    const registrar = new FeatureRegistrar(all);
    registerEverything(registrar);
    registrar.withdraw();
    expect(await known(all)).toEqual({ ...NOTHING, samples: ["other 1"], commands: ["other.do"] });
    expect(registrar.readStatus).toBeUndefined();
  });

  it("lets the next instance of the feature register the same again", async () => {
    const all = registries();
    const first = new FeatureRegistrar(all);
    registerEverything(first);
    first.withdraw();
    first.withdraw();
    registerEverything(new FeatureRegistrar(all));
    expect((await known(all)).commands).toEqual(["thing.do"]);
  });

  it("refuses a command and a provided call that another feature has registered", () => {
    const all = registries();
    registerEverything(new FeatureRegistrar(all));
    const second = new FeatureRegistrar(all);
    expect(() => second.command("thing.do", () => "other")).toThrow("thing.do has a handler already");
    expect(() => second.provide("gpuReadings", () => [])).toThrow("two features provide gpuReadings");
  });
});

describe("instance of a feature", () => {
  const context = {} as Parameters<typeof FeatureInstance.assemble>[1];

  it("leaves nothing registered when its assembly fails", async () => {
    const all = registries();
    const assemble = () =>
      FeatureInstance.assemble(
        {
          name: "broken",
          assemble: ({ register }) => {
            registerEverything(register);
            throw new Error("no");
          },
        },
        context,
        all,
      );
    expect(assemble).toThrow("no");
    expect(await known(all)).toEqual(NOTHING);
  });

  it("leaves nothing registered when it is stopped after a failed start", async () => {
    const all = registries();
    const instance = FeatureInstance.assemble(
      {
        name: "broken",
        assemble: ({ register }) => {
          registerEverything(register);
          const start = () => Promise.reject(new Error("no"));
          return { services: [{ name: "broken", start, stop: async () => {} }] };
        },
      },
      context,
      all,
    );
    await expect(instance?.start()).rejects.toThrow("no");
    await instance?.stop(silent);
    expect(await known(all)).toEqual(NOTHING);
    expect(instance?.status).toBeUndefined();
  });
});
