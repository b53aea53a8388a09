import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { allOf } from "../log-under-test.ts";
import { emitted, link, registryOf, untilEmitted } from "./registry-under-test.ts";

const promotions = (unacknowledged_count: number) => ({
  promotions: { promotion_count: 5, unacknowledged_count, oldest_promotion_age_hours: 3, last_dream_time: null },
});

describe("monitors", () => {
  test("lead, through the built-in rule, to one dream for waiting promotions", async () => {
    const eco = "monitors-dream";
    const host = await link(eco, "a", () => promotions(2));
    await untilEmitted(eco, ["Q_AGENT_UP a"]);
    expect(await registryOf(eco).tick()).toEqual({
      answered: ["a"],
      silent: [],
      told: ["Q_PROMOTIONS_DETECTED"],
    });
    for (let minute = 0; minute < 3; minute++) expect(await registryOf(eco).tick()).toMatchObject({ told: [] });
    await untilEmitted(
      eco,
      ["Q_AGENT_UP undefined", "Q_PROMOTIONS_DETECTED 5", "Q_DREAM_TRIGGER 5"],
      "promotion_count",
    );
    expect(host.asked.at(-1)?.monitors).toEqual(["promotions", "investigations", "capabilities", "health", "status"]);
    const [, detected, dream] = await allOf(eco);
    expect(dream?.cause).toBe(detected?.id);
    expect(detected).toMatchObject({ source: "ganglion/monitors", facts: { host: "a", unacknowledged_count: 2 } });
  });

  test("report each module once, and send a host the cursor of its last stored answer", async () => {
    const eco = "monitors-modules";
    const log = ["vision", "voice", "touch"];
    let length = 2;
    const host = await link(eco, "a", ({ after }) => {
      const from = Number(after.investigations ?? "0");
      const modules = log.slice(from, length).map((name) => ({ module_name: name, module_path: `/m/${name}` }));
      return { investigations: { modules, cursor: String(length) } };
    });
    await untilEmitted(eco, ["Q_AGENT_UP a"]);
    await registryOf(eco).tick();
    await evictDurableObject(registryOf(eco));
    length = 3;
    await registryOf(eco).tick();
    await registryOf(eco).tick();
    expect(host.asked.map(({ after }) => after)).toEqual([{}, { investigations: "2" }, { investigations: "3" }]);
    const found = ["vision", "voice", "touch"].map((name) => `Q_MODULE_DISCOVERED ${name}`);
    await untilEmitted(eco, ["Q_AGENT_UP undefined", ...found], "module_name");
  });

  test("report a module once when the first write failed", async () => {
    const eco = "monitors-crash";
    const answer = { investigations: { modules: [{ module_name: "vision", module_path: "/m/v" }], cursor: "9" } };
    const host = await link(eco, "a", () => answer);
    await untilEmitted(eco, ["Q_AGENT_UP a"]);
    await runInDurableObject(registryOf(eco), (_, { storage }) => {
      storage.sql.exec("CREATE TRIGGER full BEFORE INSERT ON outgoing BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    });
    const outcome = await registryOf(eco)
      .tick()
      .then(
        () => "done",
        (error: unknown) => String(error),
      );
    expect(outcome).toMatch(/disk full/);
    await runInDurableObject(registryOf(eco), (_, { storage }) => {
      storage.sql.exec("DROP TRIGGER full");
    });
    await registryOf(eco).tick();
    expect(host.asked.at(-1)?.after).toEqual({});
    await untilEmitted(eco, ["Q_AGENT_UP undefined", "Q_MODULE_DISCOVERED vision"], "module_name");
  });

  test("raise a health alert once and resolve it once, across evictions", async () => {
    const eco = "monitors-health";
    let used = 95;
    await link(eco, "a", () => ({ health: { readings: [{ kind: "disk", instance: "/var", value: used }] } }));
    await untilEmitted(eco, ["Q_AGENT_UP a"]);
    for (const value of [95, 96, 97, 88, 91, 80]) {
      used = value;
      await registryOf(eco).tick();
      await evictDurableObject(registryOf(eco));
    }
    expect(await registryOf(eco).agent("a")).toMatchObject({ alerts: [{ subject: "disk:/var", value: 96 }] });
    await registryOf(eco).tick();
    await untilEmitted(eco, ["Q_AGENT_UP undefined", "Q_HEALTH_ALERT raised", "Q_HEALTH_ALERT resolved"], "state");
    expect(await emitted(eco, "subject", /HEALTH/)).toEqual(Array(2).fill("Q_HEALTH_ALERT disk:/var"));
  });

  test("that fail on a host are shown with the reason and do not delay the others", async () => {
    const eco = "monitors-failing";
    await link(eco, "a", () => ({ investigations: { error: "permission denied" }, ...promotions(1) }));
    await link(eco, "b", () => ({ promotions: "seven" }));
    await expect.poll(() => emitted(eco), { timeout: 45_000 }).toHaveLength(2);
    expect(await registryOf(eco).tick()).toMatchObject({ answered: ["a", "b"], told: ["Q_PROMOTIONS_DETECTED"] });
    expect((await registryOf(eco).agents()).agents).toMatchObject([
      { host: "a", failing: { investigations: "permission denied" } },
      { host: "b", failing: { promotions: expect.stringMatching(/expected object/) } },
    ]);
  });
});
