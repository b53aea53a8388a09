import { describe, expect, test } from "vitest";
import { freshEcosystem } from "../api/calls.ts";
import { aSignal, logOf } from "../log-under-test.ts";
import { webhooksOf } from "../webhooks/webhooks-under-test.ts";
import { putRule, send } from "./policies-under-test.ts";

interface Warned {
  readonly version?: number;
  readonly warnings?: readonly { readonly policy: string; readonly pointer: string; readonly message: string }[];
}

const body = async (response: Response | Promise<Response>) => {
  const answered = await response;
  expect(answered.status).toBe(200);
  return (await answered.json()) as Warned;
};
const emit = { emit: { signal: "X_OUT" } };

describe("a rule that is put", () => {
  test("is refused with each webhook endpoint that does not exist, and the name that is probably meant", async () => {
    const eco = freshEcosystem();
    await webhooksOf(eco).add("alerts", "200");
    const hook = (endpoint: string) => ({ webhook: { endpoint } });
    const rule = {
      when: "X_A",
      then: [hook("alerts"), hook("alrts")],
      expect: { signal: "X_B", within: "1m", else: [hook("gone"), { webhook: { endpoint: "pager", optional: true } }] },
    };
    const answer = await putRule(eco, "page", rule);
    expect([answer.status, await answer.json()]).toMatchObject([
      422,
      {
        errors: [
          {
            pointer: "/then/1/webhook/endpoint",
            message:
              'no webhook endpoint "alrts"; did you mean "alerts"? add it first (ganglion webhooks add alrts <url>), ' +
              "or say `optional: true` where nobody need hear of it",
          },
          {
            pointer: "/expect/else/0/webhook/endpoint",
            message: expect.stringMatching(/^no webhook endpoint "gone"; add/),
          },
        ],
      },
    ]);
    expect((await send("GET", `/v1/${eco}/policies/page`)).status).toBe(404);
  });

  test("stays in force, can be put again as it is, and is warned of, where its endpoint was deleted", async () => {
    const eco = freshEcosystem();
    const hooks = webhooksOf(eco);
    await hooks.add("pager", "200");
    const rule = { when: "X_A", then: [{ webhook: { endpoint: "pager" } }] };
    expect(await body(putRule(eco, "page", rule))).not.toHaveProperty("warnings");
    await hooks.stub().remove("pager");
    const warning = { policy: "page", pointer: "/then/0/webhook/endpoint" };
    expect(await body(putRule(eco, "page", rule))).toMatchObject({ version: 1, warnings: [warning] });
    expect((await putRule(eco, "page", { ...rule, cooldown: "1m" })).status).toBe(422);
    for (const enabled of [false, true])
      expect((await send("PATCH", `/v1/${eco}/policies/page`, { enabled })).status).toBe(200);
  });

  test("is in force with a warning of a model that is not in the settings", async () => {
    const eco = freshEcosystem();
    const choices = [
      { name: "yes", then: [emit] },
      { name: "no", then: [] },
    ];
    const ask = { model: "nobody", prompt: "'?'", fallback: "no", choices };
    expect((await body(putRule(eco, "asks", { when: "X_A", ask }))).warnings).toMatchObject([
      { policy: "asks", pointer: "/ask/model", message: expect.stringContaining('no model "nobody" in the settings') },
    ]);
  });

  test.each(["facts.flag", "facts.flag && facts.n > 0", "facts.n > 0 && facts.flag", "!facts.flag"])(
    "is in force with a warning of the condition %s, where the fact is a text on the newest signal",
    async (where) => {
      const eco = freshEcosystem();
      await logOf(eco).append({ signals: [aSignal("X_A", { flag: "true", n: 1 })] });
      expect((await body(putRule(eco, "r", { when: "X_A", where, then: [emit] }))).warnings).toMatchObject([
        { policy: "r", pointer: "/where", message: expect.stringMatching(/fails on the newest such signal/) },
      ]);
    },
  );

  test("has no warnings where its conditions, endpoints and facts fit, or no signal shows that they do not", async () => {
    const eco = freshEcosystem();
    await logOf(eco).append({ signals: [aSignal("X_A", { flag: true })] });
    for (const where of ["facts.flag", "facts.absent", 'facts.flag == "true"'])
      expect(await body(putRule(eco, "r", { when: "X_A", where, then: [emit] }))).not.toHaveProperty("warnings");
    expect(await body(putRule(eco, "r", { when: "X_B", where: "facts.flag", then: [emit] }))).not.toHaveProperty(
      "warnings",
    );
  });

  test.each(["PUT", "PATCH"])("is named by its place where %s puts several rules, and none is put", async (method) => {
    const eco = freshEcosystem();
    const policies = [
      { id: "fine", when: "X_A", then: [emit] },
      { id: "page", when: "X_A", then: [{ webhook: { endpoint: "gone" } }] },
    ];
    const answer = await send(method, `/v1/${eco}/policies`, { policies });
    expect([answer.status, await answer.json()]).toMatchObject([
      422,
      { errors: [{ pointer: "/policies/1/then/0/webhook/endpoint" }] },
    ]);
    expect((await send("GET", `/v1/${eco}/policies/fine`)).status).toBe(404);
  });
});
