import { describe, expect, it } from "vitest";
import type { Lineage } from "../../../src/core/lineage/api.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { allOf, deadLettersOf } from "../log-under-test.ts";

const aSignal = (more: Record<string, unknown> = {}) => ({ signal: "Q_JOB_DONE", source: "jobs", facts: {}, ...more });

async function tokenFor(scopes: readonly string[], more: Record<string, unknown> = {}): Promise<string> {
  const response = await post("/v1/tokens", { name: "test", scopes, ecosystems: ["*"], ...more });
  return ((await response.json()) as { token: string }).token;
}

interface Answer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly first_seq: number;
}

describe("ids of callers", () => {
  it("belong to their token and source: nobody makes another's signal a repetition", async () => {
    const eco = freshEcosystem();
    const [mine, other] = [await tokenFor(["signals:write"]), await tokenFor(["signals:write"])];
    const emit = async (token: string, more: Record<string, unknown> = {}) =>
      (await (await post(`/v1/${eco}/signals`, aSignal({ id: "job-1", ...more }), { token })).json()) as Answer;
    expect(await emit(other)).toMatchObject({ accepted: 1 });
    expect(await emit(mine)).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(await emit(mine)).toMatchObject({ accepted: 0, duplicates: 1, first_seq: 2 });
    expect(await emit(mine, { source: "others" })).toMatchObject({ accepted: 1 });
    expect((await allOf(eco)).map(({ id }) => id)).toEqual(["job-1", "job-1", "job-1"]);
  });

  it("that several signals have are answered with their places, and chosen by the source", async () => {
    const eco = freshEcosystem();
    await post(`/v1/${eco}/signals`, [
      aSignal({ id: "job-1", source: "a", facts: { from: "a" } }),
      aSignal({ id: "job-1", source: "b", facts: { from: "b" } }),
    ]);
    for (const path of [`/v1/${eco}/signals/job-1`, `/v1/${eco}/signals/job-1/lineage`]) {
      const problem = await problemOf(await call(path));
      expect(problem).toMatchObject({ status: 409, type: "/problems/ambiguous-id", seqs: [2, 1] });
    }
    const chosen = (await (await call(`/v1/${eco}/signals/job-1?source=a`)).json()) as Signal;
    expect(chosen.facts).toEqual({ from: "a" });
    const lineage = (await (await call(`/v1/${eco}/signals/job-1/lineage?source=b`)).json()) as Lineage;
    expect(lineage.signal.facts).toEqual({ from: "b" });
    expect((await call(`/v1/${eco}/signals/job-1?source=c`)).status).toBe(404);
  });

  it("lead, as causes, to the signal of the same owner", async () => {
    const eco = freshEcosystem();
    const [mine, other] = [await tokenFor(["signals:write"]), await tokenFor(["signals:write"])];
    await post(`/v1/${eco}/signals`, aSignal({ id: "job-1", facts: { whose: "mine" } }), { token: mine });
    await post(`/v1/${eco}/signals`, aSignal({ id: "job-1", facts: { whose: "other" } }), { token: other });
    await post(`/v1/${eco}/signals`, aSignal({ id: "effect-mine", cause: "job-1" }), { token: mine });
    await post(`/v1/${eco}/signals`, aSignal({ id: "effect-other", cause: "job-1", source: "x" }), { token: other });
    const causeOf = async (id: string) => {
      const lineage = (await (await call(`/v1/${eco}/signals/${id}/lineage`)).json()) as Lineage;
      return lineage.causes.map(({ facts }) => facts.whose);
    };
    expect(await causeOf("effect-mine")).toEqual(["mine"]);
    expect(await causeOf("effect-other")).toEqual(["other"]);
  });

  it.each([
    ["the edge's own", "ganglion.policy.abcdef.7"],
    ["the next one that the log gives out", "next"],
  ])("cannot be %s", async (_, id) => {
    const eco = freshEcosystem();
    await post(`/v1/${eco}/signals`, aSignal());
    const [first] = await allOf(eco);
    const taken = id === "next" ? `s9.${first?.id.split(".")[1]}` : id;
    const problem = await problemOf(await post(`/v1/${eco}/signals`, [aSignal(), aSignal({ id: taken })]));
    expect(problem).toMatchObject({ status: 403, errors: [{ pointer: "/1/id" }] });
    expect(await allOf(eco)).toHaveLength(1);
  });
});

describe("what only the edge says", () => {
  it.each([
    ["a source", aSignal({ source: "ganglion/policy" }), "/source"],
    ["a name", aSignal({ signal: "Q_MAINTENANCE_CHANGED", facts: { enabled: false } }), "/signal"],
  ])("cannot be sent by a caller: %s", async (_, signal, pointer) => {
    const eco = freshEcosystem();
    const token = await tokenFor(["signals:write"]);
    const problem = await problemOf(await post(`/v1/${eco}/signals`, signal, { token }));
    expect(problem).toMatchObject({ status: 403, type: "/problems/foreign-signal", errors: [{ pointer }] });
  });

  it("may be tried by an administrator, under another source", async () => {
    const eco = freshEcosystem();
    const signal = aSignal({ signal: "Q_MAINTENANCE_CHANGED", facts: { enabled: false } });
    expect((await post(`/v1/${eco}/signals`, signal)).status).toBe(202);
    expect((await post(`/v1/${eco}/signals`, { ...signal, source: "ganglion" })).status).toBe(403);
  });
});

describe("what a link sends in the edge's name", () => {
  it.each([
    ["a source", { source: "ganglion/policy" }, "/source"],
    ["an id", { id: "ganglion.policy.abcdef.7" }, "/id"],
    ["a name", { signal: "Q_MAINTENANCE_CHANGED", facts: { enabled: false } }, "/signal"],
  ])("becomes a dead letter, and its neighbours are kept: %s", async (_, more, pointer) => {
    const eco = freshEcosystem();
    const { webSocket: socket } = await call(`/v1/${eco}/link?host=h`, { headers: { Upgrade: "websocket" } });
    if (socket === null) throw new Error("no WebSocket");
    socket.accept();
    const answered = new Promise<{ type: string; rejected: object[] }>((resolve) =>
      socket.addEventListener("message", ({ data }) => resolve(JSON.parse(String(data)))),
    );
    const signals = [aSignal(more), aSignal({ facts: { neighbour: true } })];
    socket.send(JSON.stringify({ type: "append", batch: 1, producer: "h.e.local", first: 1, signals }));
    const rejected = [{ number: 1, errors: [{ pointer: `/signals/0${pointer}` }] }];
    expect(await answered).toMatchObject({ type: "appended", rejected });
    expect((await allOf(eco)).filter(({ source }) => source !== "ganglion")).toMatchObject([
      { id: "h.e.local.2", facts: { neighbour: true } },
    ]);
    expect(await deadLettersOf(eco).find("h.e.local.1")).toMatchObject({ kind: "signal", daemon: "link/h" });
    socket.close();
  });
});

describe("a token that is bound to sources", () => {
  it("sends no signal of another source", async () => {
    const eco = freshEcosystem();
    const token = await tokenFor(["signals:write"], { sources: ["build/*"] });
    expect((await post(`/v1/${eco}/signals`, aSignal({ source: "build/42" }), { token })).status).toBe(202);
    const problem = await problemOf(await post(`/v1/${eco}/signals`, aSignal({ source: "deploy" }), { token }));
    expect(problem).toMatchObject({ status: 403, errors: [{ pointer: "/source" }] });
  });
});
