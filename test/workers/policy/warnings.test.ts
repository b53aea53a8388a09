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
  test("is in force with a warning of each webhook endpoint that does not exist, wherever the rule names it", async () => {
    const eco = freshEcosystem();
    await webhooksOf(eco).add("there", "200");
    const hook = (endpoint: string) => ({ webhook: { endpoint } });
    const rule = {
      when: "X_A",
      then: [hook("there"), hook("gone")],
      expect: { signal: "X_B", within: "1m", else: [hook("gone-too")] },
    };
    expect(await body(putRule(eco, "page", rule))).toMatchObject({
      id: "page",
      version: 1,
      warnings: [
        {
          policy: "page",
          pointer: "/then/1/webhook/endpoint",
          message: expect.stringContaining('no webhook endpoint "gone"'),
        },
        { policy: "page", pointer: "/expect/else/0/webhook/endpoint" },
      ],
    });
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

  test.each(["PUT", "PATCH"])("is warned of by its id where %s puts several rules", async (method) => {
    const eco = freshEcosystem();
    const policies = [
      { id: "fine", when: "X_A", then: [emit] },
      { id: "page", when: "X_A", then: [{ webhook: { endpoint: "gone" } }] },
    ];
    expect(await body(send(method, `/v1/${eco}/policies`, { policies }))).toMatchObject({
      created: ["fine", "page"],
      warnings: [{ policy: "page", pointer: "/then/0/webhook/endpoint" }],
    });
  });
});
