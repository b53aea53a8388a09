import { expect, it } from "vitest";
import type { AppendResult } from "../../../src/core/signals/api.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { aSignal, logOf, policyOf } from "../log-under-test.ts";

it("simulation returns the decisions of a changed rule, beside the rules in force, and writes nothing", async () => {
  const eco = freshEcosystem();
  const promotions = (count: number) => aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: count });
  await logOf(eco).append({ signals: [promotions(1), promotions(5)] });
  await policyOf(eco).catchUp(2);
  const simulate = (id: string, body: object) => post(`/v1/${eco}/policies/${id}/simulate`, body);
  const since = new Date(Date.now() - 60_000).toISOString();
  const rule = {
    when: "Q_PROMOTIONS_DETECTED",
    where: "facts.promotion_count > 3.0",
    then: [{ emit: { signal: "Q_MANY_PROMOTIONS", facts: {} } }],
  };
  const before = await (await call(`/v1/${eco}/decisions`)).json();
  const head = (await logOf(eco).status()).head_seq;
  const answer = await (await simulate("many", { since, rule })).json();
  expect(answer).toMatchObject({
    signals: 2,
    truncated: false,
    outcomes: { many: { fired: 1, suppressed: 0, failed: 0 } },
    decisions: [{ rule: "many", outcome: "fired", signal: { seq: 2 } }],
    differences: [{ rule: "many", after: { outcome: "fired" } }],
  });
  expect(await (await simulate("promotions-to-dream", { since })).json()).toMatchObject({
    outcomes: { "promotions-to-dream": { fired: 1, suppressed: 1 } },
    differences: [],
  });
  expect(await (await call(`/v1/${eco}/decisions`)).json()).toEqual(before);
  expect((await logOf(eco).status()).head_seq).toBe(head);
  expect((await problemOf(await simulate("nobody", { since }))).status).toBe(404);
  const wrong = await problemOf(await simulate("many", { since, rule: { ...rule, where: "facts." } }));
  expect([wrong.status, wrong.errors?.[0]?.pointer]).toEqual([422, "/rule/where"]);
});

it("simulation begins with the state of that time, or without state on request, and reports which", async () => {
  const eco = freshEcosystem();
  const promotions = (count: number) => aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: count });
  const append = async () => {
    const { ids } = (await logOf(eco).append({ signals: [promotions(1)] })) as AppendResult;
    return (await (await call(`/v1/${eco}/signals/${ids[0]}`)).json<Signal>()).received_at;
  };
  const first = await append();
  let since = await append();
  // The clock stands still while nothing is read or written.
  while (since === first) since = await append();
  const head = (await logOf(eco).status()).head_seq;
  await policyOf(eco).catchUp(head);
  const { decisions } = await (await call(`/v1/${eco}/decisions?since=${since}`)).json<{ decisions: object[] }>();
  const simulate = async (body: object) =>
    (await post(`/v1/${eco}/policies/promotions-to-dream/simulate`, { since, ...body })).json();
  expect(await simulate({})).toMatchObject({
    outcomes: { "promotions-to-dream": { fired: 0, suppressed: decisions.length } },
    warm_up: { complete: true, under_way: { in_flight: 1, expected: 1 } },
  });
  expect(await simulate({ warm_up: "0" })).toMatchObject({
    outcomes: { "promotions-to-dream": { fired: 1 } },
    warm_up: { from: since, complete: true, signals: 0, decisions: 0, under_way: {} },
  });
  const wrong = await problemOf(
    await post(`/v1/${eco}/policies/promotions-to-dream/simulate`, { since, until: since, warm_up: "long" }),
  );
  expect([wrong.status, wrong.errors?.map(({ pointer }) => pointer)]).toEqual([422, ["/warm_up"]]);
});
