import { describe, expect, it, vi } from "vitest";
import { linkOf } from "../link-under-test.ts";
import { allOf, aSignal, logOf, observationsOf } from "../log-under-test.ts";
import { patience } from "../patience.ts";
import { putRule } from "../policy/policies-under-test.ts";
import { openChannel } from "../queue/queue-under-test.ts";
import { deadLettersUnderTest } from "./dead-letters-under-test.ts";

/** The end of a link that an agent holds. */
async function openLink(ecosystem: string, host: string) {
  const socket = await linkOf(ecosystem, host);
  return (frame: object) =>
    new Promise<Record<string, unknown>>((resolve) => {
      socket.addEventListener("message", ({ data }) => resolve(JSON.parse(String(data))), { once: true });
      socket.send(JSON.stringify(frame));
    });
}

const intent = {
  id: "gpu-01.intent.1",
  kind: "intent",
  intent: { file: "a.json" },
  error: "e",
  daemon: "agent/intents",
};

describe("dead letters of a host", () => {
  it("are stored once, before the host gets the confirmation", async () => {
    const deadLetters = deadLettersUnderTest();
    const send = await openLink(deadLetters.ecosystem, "gpu-01");
    const frame = { type: "letters", batch: 7, letters: [intent] };
    expect(await send(frame)).toEqual({ type: "lettered", batch: 7 });
    expect(await deadLetters.list()).toMatchObject([{ ...intent, host: "gpu-01", attempts: 1 }]);
    await send({ ...frame, batch: 8 });
    expect(await deadLetters.list()).toMatchObject([{ attempts: 2 }]);
  });

  it("are told by one signal when twenty of them wait, and by another at forty", async () => {
    const deadLetters = deadLettersUnderTest();
    const send = await openLink(deadLetters.ecosystem, "gpu-01");
    const told = async () =>
      (await allOf(deadLetters.ecosystem)).flatMap(({ signal, facts }) =>
        signal === "Q_DEAD_LETTERS_GROWING" ? [facts] : [],
      );
    const fail = (from: number, to: number) => {
      const numbers = Array.from({ length: to - from }, (_, n) => from + n);
      const letters = numbers.map((n) => ({ ...intent, id: `gpu-01.intent.${n}` }));
      return send({ type: "letters", batch: from, letters });
    };
    await fail(0, 19);
    await fail(19, 25);
    await vi.waitFor(async () => expect(await told()).toEqual([{ open: 25, limit: 20 }]), patience);
    await fail(20, 30);
    await fail(30, 45);
    await vi.waitFor(
      async () => expect(await told()).toMatchObject([{ limit: 20 }, { open: 45, limit: 40 }]),
      patience,
    );
  });

  it("are refused in the name of another host or of the edge", async () => {
    const deadLetters = deadLettersUnderTest();
    const send = await openLink(deadLetters.ecosystem, "gpu-01");
    const foreign = { ...intent, id: "gpu-02.intent.1" };
    expect(await send({ type: "letters", batch: 1, letters: [foreign] })).toMatchObject({
      type: "refused",
      problem: { type: "/problems/foreign-letter", status: 403 },
    });
    for (const wrong of [
      { ...intent, daemon: "ganglion/policy" },
      { ...intent, kind: "webhook" },
    ])
      expect(await send({ type: "letters", batch: 1, letters: [wrong] })).toMatchObject({ problem: { status: 422 } });
    expect(await deadLetters.list()).toEqual([]);
  });
});

/** The edge itself appends some signals first: of a host, of a rule. */
const FIRST_PLACES = Array.from({ length: 20 }, (_, place) => place + 1);

describe("a host that is named like a part of the edge", () => {
  const forged = {
    kind: "signal",
    signal: { signal: "Q_FORGED", source: "x", facts: {} },
    error: "e",
    daemon: "agent/x",
  };

  it("overwrites no dead letter of the edge, whoever wrote first, and the edge's own is still replayed", async () => {
    const deadLetters = deadLettersUnderTest();
    const eco = deadLetters.ecosystem;
    const rule = (where: string) => ({ when: "Q_A", where, then: [{ emit: { signal: "Q_B", facts: {} } }] });
    await putRule(eco, "late", rule("facts.nothing > 0"));
    const send = await openLink(eco, "policy");
    const letters = FIRST_PLACES.map((seq) => ({ ...forged, id: `policy.${seq}.late` }));
    expect(await send({ type: "letters", batch: 1, letters })).toMatchObject({ type: "lettered" });
    await logOf(eco).append({ signals: [aSignal("Q_A", {})] });
    const ofPolicy = async () => (await deadLetters.list()).filter(({ daemon }) => daemon === "ganglion/policy");
    await expect.poll(ofPolicy, patience).toHaveLength(1);
    await send({ type: "letters", batch: 2, letters });
    const [own] = await ofPolicy();
    expect(own).toMatchObject({ id: expect.stringMatching(/^policy\.\d+\.late~ganglion$/), signal: { signal: "Q_A" } });
    await putRule(eco, "late", rule("true"));
    expect(await (await deadLetters.replay(own?.id ?? "")).json()).toMatchObject({ outcome: "replayed" });
    await expect.poll(async () => (await allOf(eco)).map(({ signal }) => signal), patience).toContain("Q_B");
    expect((await allOf(eco)).map(({ signal }) => signal)).not.toContain("Q_FORGED");
  });

  it("makes no replay of a signal that a projection could not take append the signal a second time", async () => {
    const deadLetters = deadLettersUnderTest();
    const eco = deadLetters.ecosystem;
    const send = await openLink(eco, "observations");
    const letters = FIRST_PLACES.map((seq) => ({ ...forged, id: `observations.${seq}` }));
    await send({ type: "letters", batch: 1, letters });
    const { last_seq } = (await logOf(eco).append({ signals: [aSignal("OBSERVATION", { nobody: true })] })) as {
      last_seq: number;
    };
    await observationsOf(eco).catchUp(last_seq);
    const found = async () => (await deadLetters.list()).find(({ daemon }) => daemon === "ganglion/observations");
    await expect.poll(found, patience).toMatchObject({ id: `observations.${last_seq}~ganglion` });
    const own = await found();
    expect((await deadLetters.replay(own?.id ?? "")).status).toBe(409);
    expect((await allOf(eco)).filter(({ signal }) => signal === "OBSERVATION")).toHaveLength(1);
  });
});

describe("a host whose name begins with that of another", () => {
  it("does not keep the dead letters of the other one from being replayed by their host", async () => {
    const deadLetters = deadLettersUnderTest();
    const [longer, shorter] = [
      await openLink(deadLetters.ecosystem, "gpu.intent"),
      await openLink(deadLetters.ecosystem, "gpu"),
    ];
    const letters = [{ ...intent, id: "gpu.intent.1" }];
    await longer({ type: "letters", batch: 1, letters });
    await shorter({ type: "letters", batch: 1, letters });
    const own = (await deadLetters.list()).find(({ host }) => host === "gpu");
    const worker = await openChannel(deadLetters.ecosystem, "gpu", "hosts");
    worker.send({ type: "ready", recipient: "gpu", credit: 1 });
    const replayed = deadLetters.replay(own?.id ?? "");
    const [task] = (await worker.next("tasks")).tasks ?? [];
    expect(task).toMatchObject({ type: "intent.replay", payload: { id: "gpu.intent.1" } });
    worker.send({ type: "complete", tasks: [{ task_id: task?.task_id, lease_id: task?.lease_id, result: {} }] });
    expect(await (await replayed).json()).toEqual({ id: own?.id, outcome: "replayed" });
  });
});
