import { expect, it } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { aSignal, logOf, policyOf } from "../log-under-test.ts";

it("tells what a changed rule would have decided, beside the rules in force, and writes nothing", async () => {
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
    ...{ signals: 2, truncated: false, outcomes: { many: { fired: 1, suppressed: 0, failed: 0 } } },
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
