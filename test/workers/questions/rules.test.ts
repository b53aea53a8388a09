import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { policyState } from "../../../src/workers/bindings/objects.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, post, problemOf } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { patience } from "../patience.ts";
import { questionsOf } from "./questions-under-test.ts";

const rule = {
  when: "Q_QUESTION_ASKED",
  where: 'facts.recipient == "ops" && has(facts.context) && facts.context.cost < 5.0',
  then: [{ answer: { answer: '"yes"', comment: '"below 5"' } }],
};

describe("a rule", () => {
  it("answers questions by their context, once, and leaves the others to people", async () => {
    const { eco, ask, show, answer, stub } = questionsOf();
    expect((await post(`/v1/${eco}/policies/small-sums`, rule, { method: "PUT" })).status).toBeLessThan(300);
    const small = await ask({ context: { cost: 3 } });
    const large = await ask({ context: { cost: 7 } });
    await vi.waitFor(
      async () =>
        expect(await show(small)).toMatchObject({
          state: "answered",
          answer: "yes",
          comment: "below 5",
          answered_by: { name: "small-sums", way: "rule" },
        }),
      patience,
    );
    expect((await show(large)).state).toBe("open");
    expect((await problemOf(await answer(small, "no"))).detail).toContain("small-sums (a rule) answered");
    // What is handed over again changes nothing.
    await crash(stub());
    await crash(policyState(env, eco));
    await runDurableObjectAlarm(policyState(env, eco));
    expect((await show(small)).answer).toBe("yes");
    const { decisions } = (await (await call(`/v1/${eco}/decisions`)).json()) as { decisions: object[] };
    expect(decisions).toMatchObject([{ rule: "small-sums", outcome: "fired" }]);
  });

  it("is put by those alone who may answer themselves", async () => {
    const { eco } = questionsOf();
    const put = async (scopes: string[], more: object = {}) => {
      const { token } = await makeToken(eco, scopes, more);
      return post(`/v1/${eco}/policies/small-sums`, rule, { method: "PUT", token });
    };
    expect(await problemOf(await put(["policy:write"]))).toMatchObject({ status: 403, scope: "questions:answer" });
    const bound = await put(["policy:write", "questions:answer"], { recipients: ["ada"] });
    expect(bound.status).toBe(403);
    expect((await put(["policy:write", "questions:answer"])).status).toBeLessThan(300);
  });
});
