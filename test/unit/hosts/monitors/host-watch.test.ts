import { describe, expect, it } from "vitest";
import { readAnswer } from "../../../../src/core/hosts/monitors/facts.ts";
import { NOT_MONITORED, watchHost } from "../../../../src/core/hosts/monitors/host-watch.ts";
import { DEFAULT_MONITOR_SETTINGS } from "../../../../src/core/hosts/monitors/monitor-settings.ts";

const MINUTE_MS = 60_000;

function watcher() {
  let known = NOT_MONITORED;
  const reported = new Set<string>();
  let nowMs = 0;
  const dreams = { headSeq: 1, begunSeq: 0, endedSeq: 0 };
  return {
    dreams,
    answer: (facts: Record<string, unknown>, minutes = 1) => {
      nowMs += minutes * MINUTE_MS;
      const isNew = (key: string) => !reported.has(key) && reported.add(key) !== undefined;
      const { after, signals } = watchHost(
        "h",
        known,
        readAnswer(facts),
        DEFAULT_MONITOR_SETTINGS,
        dreams,
        isNew,
        nowMs,
      );
      known = JSON.parse(JSON.stringify(after));
      return signals;
    },
    get failures() {
      return known.failures;
    },
    get cursor() {
      return known.investigations;
    },
  };
}
const promotions = (unacknowledged_count: number) => ({
  promotions: { promotion_count: unacknowledged_count + 1, unacknowledged_count },
});
const counted = (run: string, count: number, ...waiting: string[]) => ({
  promotions: {
    promotion_count: waiting.length,
    unacknowledged_count: waiting.length,
    arrivals: { run, count, waiting: waiting.join() },
  },
});
const modules = (cursor: string, ...names: string[]) => ({
  investigations: {
    modules: names.map((name) => ({ module_name: name, module_path: `/m/${name}`, investigation_id: `i-${name}` })),
    cursor,
  },
});

describe("promotions on a host", () => {
  it("are reported when they begin to wait and when more arrive, not every minute", () => {
    const { answer } = watcher();
    expect(answer(promotions(0))).toEqual([]);
    expect(answer(promotions(2))).toMatchObject([
      { signal: "Q_PROMOTIONS_DETECTED", facts: { host: "h", promotion_count: 3, unacknowledged_count: 2 } },
    ]);
    expect(answer(promotions(2))).toEqual([]);
    expect(answer(promotions(3))).toHaveLength(1);
    expect(answer(promotions(1))).toEqual([]);
    expect(answer(promotions(2))).toHaveLength(1);
    expect(answer(promotions(0))).toEqual([]);
    expect(answer(promotions(1))).toHaveLength(1);
  });

  it("are reported again after a dream that was under way when they were reported", () => {
    const { answer, dreams } = watcher();
    expect(answer(promotions(1))).toHaveLength(1);
    dreams.endedSeq = dreams.headSeq = 5;
    expect(answer(promotions(1))).toHaveLength(1);
    expect(answer(promotions(1))).toEqual([]);
  });

  it("are not reported again when the dream that they began has left some", () => {
    const { answer, dreams } = watcher();
    expect(answer(promotions(2))).toHaveLength(1);
    Object.assign(dreams, { headSeq: 5, begunSeq: 2, endedSeq: 5 });
    expect(answer(promotions(1))).toEqual([]);
    Object.assign(dreams, { headSeq: 6, endedSeq: 6 });
    expect(answer(promotions(1))).toEqual([]);
  });

  it("are reported when as many arrived as were acknowledged, but not because the agent restarted", () => {
    const { answer } = watcher();
    expect(answer(counted("run-1", 1, "a"))[0]?.facts).not.toHaveProperty("arrivals");
    expect(answer(counted("run-1", 1, "a"))).toEqual([]);
    expect(answer(counted("run-1", 2, "b"))).toHaveLength(1);
    expect(answer(counted("run-2", 1, "b"))).toEqual([]);
    expect(answer(counted("run-3", 1, "c"))).toHaveLength(1);
  });

  it("are reported again after a day", () => {
    const { answer } = watcher();
    answer(promotions(1));
    expect(answer(promotions(1), 24 * 60 - 1)).toEqual([]);
    expect(answer(promotions(1), 1)).toHaveLength(1);
    expect(answer(promotions(1), 1)).toEqual([]);
  });
});

describe("modules that investigations found", () => {
  it("are reported once each, also when the log is read from its start again", () => {
    const watch = watcher();
    expect(watch.answer(modules("10", "vision", "voice")).map(({ facts }) => facts.module_name)).toEqual([
      "vision",
      "voice",
    ]);
    expect(watch.answer(modules("20", "vision", "voice", "touch")).map(({ facts }) => facts.module_name)).toEqual([
      "touch",
    ]);
    expect(watch.cursor).toBe("20");
  });

  it("are reported although another one cannot be read", () => {
    const watch = watcher();
    const { investigations } = modules("10", "vision");
    const news = watch.answer({ investigations: { ...investigations, modules: [7, ...investigations.modules] } });
    expect(news).toHaveLength(1);
    expect(watch.failures).toMatchObject({ investigations: expect.stringMatching(/1 modules could not be read/) });
  });
});

describe("an answer of a host", () => {
  it("counts for the monitors whose facts are valid", () => {
    const watch = watcher();
    watch.answer({
      promotions: { error: "no such directory" },
      health: { readings: "none" },
      ...modules("1", "vision"),
      unheard: 5,
    });
    expect(watch.failures.promotions).toBe("no such directory");
    expect(watch.failures.health).toMatch(/readings/);
    expect(watch.cursor).toBe("1");
    watch.answer(promotions(0));
    expect(watch.failures).toEqual({});
  });
});

describe("health of a host of which a part cannot be measured", () => {
  const full = { kind: "disk", instance: "/data", value: 99 };
  const failed = [{ part: "disk:/data", reason: "the file system cannot be measured (EIO): check monitors.disks" }];

  it("is told with the reason, while the other parts raise their alerts", () => {
    const host = watcher();
    const memory = { kind: "memory", value: 99 };
    const signals = [1, 2, 3, 4, 5].flatMap(() => host.answer({ health: { readings: [memory], failed } }));
    expect(signals).toMatchObject([{ signal: "Q_HEALTH_ALERT", facts: { subject: "memory", state: "raised" } }]);
    expect(host.failures).toEqual({
      health: "disk:/data: the file system cannot be measured (EIO): check monitors.disks",
    });
  });

  it("keeps its open alert until it is measured again", () => {
    const host = watcher();
    const readings = Array.from({ length: 5 }, () => host.answer({ health: { readings: [full] } })).flat();
    expect(readings).toMatchObject([{ facts: { subject: "disk:/data", state: "raised" } }]);
    for (let round = 0; round < 10; round++) expect(host.answer({ health: { readings: [], failed } })).toEqual([]);
    const good = { ...full, value: 1 };
    const after = Array.from({ length: 5 }, () => host.answer({ health: { readings: [good] } })).flat();
    expect(after).toMatchObject([{ facts: { subject: "disk:/data", state: "resolved" } }]);
    expect(host.failures).toEqual({});
  });
});

describe("modules of a host's list", () => {
  const listed = (cursor: string, ...names: string[]) => ({
    capabilities: { modules: names.map((name) => ({ module_name: name, module_path: name })), cursor },
  });

  it("are reported once, and not where an investigation has found them", () => {
    const { answer } = watcher();
    const found = (facts: object) => answer({ ...facts }).map(({ facts: { module_name } }) => module_name);
    expect(found(modules("c1", "vision"))).toEqual(["vision"]);
    expect(found({ ...modules("c2", "voice"), ...listed("l1", "vision", "voice", "smell") })).toEqual([
      "voice",
      "smell",
    ]);
    expect(found(listed("l2", "smell"))).toEqual([]);
    // A later investigation of the same module is a find of its own.
    expect(
      found({
        investigations: {
          modules: [{ module_name: "smell", module_path: "/m/smell", investigation_id: "i" }],
          cursor: "c3",
        },
      }),
    ).toEqual(["smell"]);
  });
});
