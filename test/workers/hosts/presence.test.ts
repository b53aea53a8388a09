import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { AgentRegistry } from "../../../src/durable-objects/hosts/object.ts";
import { everyMinute } from "../../../src/workers/cron.ts";
import { logOf } from "../log-under-test.ts";
import { emitted, link, links, registryOf, state, untilEmitted } from "./registry-under-test.ts";

const configure = (eco: string, settings: object) => registryOf(eco).configure(settings);
const untilLinks = (eco: string, host: string, count: number) =>
  expect.poll(() => links(eco, host), { timeout: 45_000 }).toBe(count);

afterEach(() => void vi.useRealTimers());

describe("a host", () => {
  test("is up from its first link on, and while any link is open", async () => {
    const eco = "agents-two-links";
    const first = await link(eco, "a");
    await untilEmitted(eco, ["Q_AGENT_UP a"]);
    await link(eco, "a");
    await untilLinks(eco, "a", 2);
    first.drop();
    await untilLinks(eco, "a", 1);
    await registryOf(eco).tick();
    expect(await state(eco, "a")).toBe("up");
    expect(await emitted(eco)).toEqual(["Q_AGENT_UP a"]);
  });

  test("that links again within the grace stays up, and otherwise is down once, by an alarm", async () => {
    const eco = "agents-grace";
    await configure(eco, { agent_grace_seconds: 3_600 });
    const first = await link(eco, "a");
    await untilEmitted(eco, ["Q_AGENT_UP a"]);
    first.drop();
    await untilLinks(eco, "a", 0);
    const second = await link(eco, "a");
    await untilLinks(eco, "a", 1);
    expect(await state(eco, "a")).toBe("up");

    await configure(eco, { agent_grace_seconds: 0.2 });
    second.drop();
    // Nobody runs the alarm here: the runtime does.
    await untilEmitted(eco, ["Q_AGENT_UP a", "Q_AGENT_DOWN a"]);
    expect(await registryOf(eco).agent("a")).toMatchObject({ state: "down", reason: "link_lost", links: 0 });
    await registryOf(eco).tick();
    await link(eco, "a");
    await untilEmitted(eco, ["Q_AGENT_UP a", "Q_AGENT_DOWN a", "Q_AGENT_UP a"]);
  });

  test("is reported once across evictions of registry and log", async () => {
    const eco = "agents-evicted";
    await link(eco, "a");
    await untilEmitted(eco, ["Q_AGENT_UP a"]);
    await evictDurableObject(registryOf(eco));
    await evictDurableObject(logOf(eco));
    expect((await registryOf(eco).agents()).agents).toMatchObject([{ host: "a", state: "up", links: 1 }]);
    expect(await registryOf(eco).tick()).toMatchObject({ answered: ["a"], told: [] });
    expect(await emitted(eco)).toEqual(["Q_AGENT_UP a"]);
  });

  test("that was up when the edge stopped is down when the grace after the first check ends without a link, and not before", async () => {
    const eco = "agents-restart";
    await configure(eco, { agent_grace_seconds: 600 });
    const gone = await link(eco, "gone");
    await untilEmitted(eco, ["Q_AGENT_UP gone"]);
    // A restart of the whole edge closes every link, and nobody is there to report it.
    await muted(async () => gone.drop());
    expect(await state(eco, "gone")).toBe("up");
    await everyMinute(env, Date.now());
    expect(await emitted(eco)).toEqual(["Q_AGENT_UP gone"]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 601_000 });
    await runDurableObjectAlarm(registryOf(eco));
    await untilEmitted(eco, ["Q_AGENT_UP gone", "Q_AGENT_DOWN gone"]);
  });

  test("whose link report was lost is found by the next check", async () => {
    const eco = "agents-lost-open";
    await muted(async () => void (await link(eco, "a")));
    expect(await emitted(eco)).toEqual([]);
    await registryOf(eco).tick();
    await untilEmitted(eco, ["Q_AGENT_UP a"]);
  });

  test("that is linked and misses three answers is down once, and up when it answers", async () => {
    const eco = "agents-silent";
    await configure(eco, { answer_within_seconds: 0.1 });
    let answers = false;
    await link(eco, "a", () => (answers ? {} : null));
    await untilEmitted(eco, ["Q_AGENT_UP a"]);
    for (let minute = 0; minute < 2; minute++) expect(await registryOf(eco).tick()).toMatchObject({ silent: ["a"] });
    await evictDurableObject(registryOf(eco));
    for (let minute = 0; minute < 3; minute++) await registryOf(eco).tick();
    await untilEmitted(eco, ["Q_AGENT_UP a", "Q_AGENT_DOWN a"]);
    expect(await registryOf(eco).agent("a")).toMatchObject({ state: "down", reason: "silent", links: 1 });
    answers = true;
    await configure(eco, { answer_within_seconds: 10 });
    await registryOf(eco).tick();
    await untilEmitted(eco, ["Q_AGENT_UP a", "Q_AGENT_DOWN a", "Q_AGENT_UP a"]);
    expect(await emitted(eco, "reason")).toEqual(["Q_AGENT_UP linked", "Q_AGENT_DOWN silent", "Q_AGENT_UP answered"]);
  });

  test("is reported once when its signal is delivered a second time after a crash", async () => {
    const eco = "agents-redelivery";
    await link(eco, "a");
    await untilEmitted(eco, ["Q_AGENT_UP a"]);
    // As after a crash between the log's answer and the removal from the outbox.
    await runInDurableObject(registryOf(eco), (_, { storage }) => {
      storage.sql.exec(
        "INSERT INTO outgoing (number, body) VALUES (1, ?)",
        JSON.stringify({ signal: "Q_AGENT_UP", source: "ganglion/agents", factsJson: '{"host":"a"}' }),
      );
    });
    await runInDurableObject(registryOf(eco), (_, { storage }) => storage.setAlarm(Date.now() + 60_000));
    expect(await runDurableObjectAlarm(registryOf(eco))).toBe(true);
    expect(await emitted(eco)).toEqual(["Q_AGENT_UP a"]);
  });
});

describe("the status of a host", () => {
  test("is shown as last reported, also after an eviction, and updated by the next answer", async () => {
    const eco = "agents-status";
    let runs: Record<string, unknown> = { version: "1.0.0", sources: ["bus"] };
    const host = await link(eco, "a", () => ({ status: runs }));
    host.status(runs);
    await expect.poll(async () => (await registryOf(eco).agent("a"))?.version, { timeout: 45_000 }).toBe("1.0.0");
    await registryOf(eco).tick();
    await evictDurableObject(registryOf(eco));
    expect(await registryOf(eco).agent("a")).toMatchObject({ runs: { sources: ["bus"] } });
    runs = { version: "1.0.1", sources: [] };
    await registryOf(eco).tick();
    expect(await registryOf(eco).agent("a")).toMatchObject({ version: "1.0.1", runs });
  });

  test("costs no row while it does not change", async () => {
    const eco = "agents-cost";
    await link(eco, "a", () => ({ status: { version: "1" }, health: { readings: [{ kind: "disk", value: 40 }] } }));
    await untilEmitted(eco, ["Q_AGENT_UP a"]);
    await registryOf(eco).tick();
    const before = (await registryOf(eco).usage()).rows_written;
    for (let minute = 0; minute < 10; minute++) await registryOf(eco).tick();
    expect((await registryOf(eco).usage()).rows_written).toBe(before);
  });
});

describe("the minute's round", () => {
  test("wakes ecosystems that have hosts, and no others", async () => {
    const host = await link("round-hosts", "a");
    await untilEmitted("round-hosts", ["Q_AGENT_UP a"]);
    const directory = env.DIRECTORY.get(env.DIRECTORY.idFromName("directory"));
    await expect.poll(() => directory.watched(), { timeout: 45_000 }).toEqual(["round-hosts"]);
    const inAWeek = Date.now() + 7 * 86_400_000;
    await everyMinute(env, inAWeek);
    expect(host.asked).toHaveLength(1);

    await configure("round-hosts", { agent_grace_seconds: 0 });
    host.drop();
    await untilEmitted("round-hosts", ["Q_AGENT_UP a", "Q_AGENT_DOWN a"]);
    await expect.poll(() => directory.watched(), { timeout: 45_000 }).toEqual([]);
  });
});

/** Loses the next report of the log to the registry. */
async function muted(work: () => Promise<void>): Promise<void> {
  const lost = vi.spyOn(AgentRegistry.prototype, "report").mockResolvedValue();
  try {
    await work();
    await expect.poll(() => lost.mock.calls.length, { timeout: 45_000 }).toBeGreaterThan(0);
  } finally {
    lost.mockRestore();
  }
}
