import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { evict } from "../evict.ts";
import { anObservation, logOf, observationsOf, policyOf, queueOf } from "../log-under-test.ts";

afterEach(() => void vi.useRealTimers());

async function tokenFor(eco: string, name: string) {
  const made = await post("/v1/tokens", { name, scopes: ["signals:write"], ecosystems: [eco] });
  return (await made.json()) as { token: string; id: string };
}

const observe = async (eco: string, token: string, source: string, reporters: readonly string[]) => {
  const all = reporters.flatMap((zooid) =>
    Array.from({ length: 5 }, () => ({ signal: "OBSERVATION", source, facts: { zooid, cpu_percent: 99 } })),
  );
  for (let from = 0; from < all.length; from += 1_000)
    expect((await post(`/v1/${eco}/signals`, all.slice(from, from + 1_000), { token })).status).toBe(202);
};

const gapsOf = async (eco: string) =>
  ((await (await call(`/v1/${eco}/gaps`)).json()) as { gaps: { name: string }[] }).gaps.map(({ name }) => name);

interface Status {
  over_quota: { quota: string; sender: string; source: string; token_name?: string; refused: number; limit: number }[];
}
const overQuota = async (eco: string) => ((await (await call(`/v1/${eco}/status`)).json()) as Status).over_quota;

/** The rules may have met the gaps of the flood already, and name the token for these, too. */
const findingsOver = async (eco: string) => (await overQuota(eco)).filter(({ quota }) => quota === "findings");

const fakes = Array.from({ length: 1_200 }, (_, n) => `fake-${n}`);

describe("1,200 reporters that one token invents", () => {
  test("hide no gap of another token, quarantine no scanner, and the token is named in the status", async () => {
    const eco = freshEcosystem();
    const flooder = await tokenFor(eco, "flooder");
    const victim = await tokenFor(eco, "victim");
    await observe(eco, flooder.token, "fake/source", fakes);
    await observe(eco, victim.token, "gpu-01/metrics", ["gpu-01"]);
    await observationsOf(eco).catchUp((await logOf(eco).status()).head_seq);
    expect(await gapsOf(eco)).toContain("cpu_bottleneck_gpu-01");
    const { scanners } = (await (await call(`/v1/${eco}/scanners`)).json()) as { scanners: { state: string }[] };
    expect(new Set(scanners.map(({ state }) => state))).toEqual(new Set(["healthy"]));
    expect(await findingsOver(eco)).toMatchObject([
      { quota: "findings", sender: `token:${flooder.id}`, source: "fake/source", token_name: "flooder", limit: 1_000 },
    ]);
  });

  test("are still charged to their token after the window was read back from the disk", async () => {
    const eco = freshEcosystem();
    const flooder = await tokenFor(eco, "flooder");
    await observe(eco, flooder.token, "fake/source", fakes);
    await observationsOf(eco).catchUp((await logOf(eco).status()).head_seq);
    await evict(observationsOf(eco));
    const victim = await tokenFor(eco, "victim");
    await observe(eco, victim.token, "gpu-01/metrics", ["gpu-01"]);
    await observationsOf(eco).catchUp((await logOf(eco).status()).head_seq);
    expect(await gapsOf(eco)).toContain("cpu_bottleneck_gpu-01");
    expect(await findingsOver(eco)).toMatchObject([{ token_name: "flooder" }]);
  });

  test("push no observation of a linked host out of a full window, which stays small on the disk", async () => {
    // Within a minute: the end of one drops slices, too, and the rest is then compacted only beyond the bound again.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-06-15T12:00:20.000Z") });
    const eco = freshEcosystem();
    await observationsOf(eco).changeSettings({ window_capacity: 100 }, { name: "t", id: "t" });
    const producer = { name: "gpu-01.e1.ready", first: 1, remote: true };
    // With an id of the host's own choice: such an id does not name the host.
    const signals = [1, 2, 3, 4, 5].map((n) => anObservation("gpu-01", { cpu_percent: 99 }, { id: `own-${n}` }));
    await logOf(eco).append({ producer, owner: "gpu-01", signals });
    for (let batch = 0; batch < 110; batch++) {
      const flood = Array.from({ length: 1_000 }, (_, n) => anObservation(`fake-${n}`, { cpu_percent: 1 }));
      await logOf(eco).append({ owner: "flooder", signals: flood });
    }
    await observationsOf(eco).catchUp(110_005);
    expect(await gapsOf(eco)).toEqual(["cpu_bottleneck_gpu-01"]);
    const { observations } = await observationsOf(eco).observations({ seconds: 300, limit: 1_000 });
    expect(observations.filter(({ zooid_name }) => zooid_name === "gpu-01")).toHaveLength(5);
    const stored = () =>
      runInDurableObject(observationsOf(eco), (_, state) => {
        const slices = [...state.storage.sql.exec<{ slice: number }>("SELECT slice FROM slices")];
        const bodies = slices.flatMap(({ slice }) => [
          ...state.storage.sql.exec<{ body: string }>(`SELECT body FROM segments_${slice}`),
        ]);
        return bodies.reduce((sum, { body }) => sum + body.split("\n").length, 0);
      });
    // The slice that is open stays whole: 5,000, and what one read of the log may add, four million characters.
    expect(await stored()).toBeLessThan(25_000);
    await evict(observationsOf(eco));
    const again = await observationsOf(eco).observations({ seconds: 300, limit: 1_000, reporter: "gpu-01" });
    expect(again.size).toBe(5);
  });
});

test("observations that were stored without their senders are read, and later ones come beside them", async () => {
  const eco = freshEcosystem();
  const append = (id: string) =>
    logOf(eco).append({ owner: "t", signals: [anObservation("gpu-01", { cpu_percent: 99 }, { id })] });
  await append("before");
  await observationsOf(eco).catchUp(1);
  await runInDurableObject(observationsOf(eco), (_, state) => {
    state.storage.sql.exec("ALTER TABLE segments_1 DROP COLUMN senders");
  });
  await evict(observationsOf(eco));
  await append("after");
  await observationsOf(eco).catchUp(2);
  await evict(observationsOf(eco));
  expect((await observationsOf(eco).observations({ seconds: 300, limit: 10 })).size).toBe(2);
});

const gapFacts = (name: string) => ({
  gap_name: name,
  gap_type: "t",
  gap_category: "c",
  gap_reason: `${name} is slow`,
  alignment_score: 0.5,
  install_cost: 0.5,
  metadata: {},
});

async function emit(eco: string, token: string, signals: readonly object[]) {
  for (let from = 0; from < signals.length; from += 1_000)
    expect((await post(`/v1/${eco}/signals`, signals.slice(from, from + 1_000), { token })).status).toBe(202);
}

const investigated = async (eco: string) => {
  const { tasks } = await queueOf(eco, "investigations").tasks({ limit: 1_000, after: 0 });
  return tasks;
};

const QUESTIONS = Array.from({ length: 1_200 }, (_, n) => n.toString(36).repeat(40));

describe.each(["CAPABILITY_GAP", "Q_CURIOSITY_INVESTIGATE"])("1,200 forged %s of one token", (signal) => {
  const facts = (text: string) =>
    signal === "CAPABILITY_GAP" ? gapFacts(text) : { question: text, question_id: `q-${text}`, intent_type: text };

  test("queue the token's share of investigations, another token's come in, and the token is named", async () => {
    const eco = freshEcosystem();
    const flooder = await tokenFor(eco, "flooder");
    const victim = await tokenFor(eco, "victim");
    const forged = QUESTIONS.map((text) => ({ signal, source: "fake", facts: facts(text) }));
    await emit(eco, flooder.token, forged);
    await emit(eco, victim.token, [{ signal, source: "honest", facts: facts("the-real-one") }]);
    await emit(eco, flooder.token, [{ signal, source: "honest", facts: facts("of-the-same-token") }]);
    await expect
      .poll(
        async () => {
          await policyOf(eco).catchUp((await logOf(eco).status()).head_seq);
          return (await investigated(eco)).length;
        },
        { timeout: 30_000 },
      )
      .toBe(102);
    const queued = (await investigated(eco)).join();
    expect(queued).toContain("the-real-one");
    expect(queued).toContain("of-the-same-token");
    expect(await overQuota(eco)).toMatchObject([
      { sender: `token:${flooder.id}`, source: "fake", token_name: "flooder", refused: 1_100, limit: 100 },
    ]);
  });
});
