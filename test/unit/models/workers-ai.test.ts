import { describe, expect, it } from "vitest";
import { readAnswer } from "../../../src/core/models/read-answer.ts";
import { ModelSettingsInput } from "../../../src/core/models/settings.ts";
import { askModel } from "../../../src/durable-objects/models/endpoint.ts";
import type { AiBinding } from "../../../src/durable-objects/models/workers-ai.ts";

const question = {
  id: "q",
  model: "small",
  prompt: "Is it urgent?",
  timeoutMs: 10_000,
  choices: [{ name: "yes" }, { name: "no" }],
};
const NAME = "@cf/meta/llama-3.3-70b-instruct-fp8-fast";

interface Asked {
  readonly model: string;
  readonly input: Record<string, unknown>;
}

/** Asks a fake of the binding, as documented. @param answer - returns or throws the result of each call */
async function ask(answer: (asked: Asked) => unknown, timeoutMs = 10_000) {
  const [model] = ModelSettingsInput.parse({ models: [{ kind: "workers-ai", name: "small", model: NAME }] }).models;
  if (model === undefined) throw new Error("no model");
  const asked: Asked[] = [];
  const binding: AiBinding = {
    run: async (name, input) => {
      asked.push({ model: name, input });
      return answer({ model: name, input });
    },
  };
  return { reply: await askModel(model, { ...question, timeoutMs }, binding, fetch), asked };
}

/** Throws an error as the runtime makes it from an answer of the service. */
function fault(code: number, description: string): never {
  throw Object.assign(new Error(`${code}: ${description}`), { name: "AiError" });
}

const tokens = { prompt_tokens: 90, completion_tokens: 12, total_tokens: 102 };
const text = '{"choice":"yes","reason":"hot"}';

describe("asking Workers AI", () => {
  it("sends messages, the schema and a limit as documented", async () => {
    const { asked } = await ask(() => ({ response: text }));
    expect(asked).toEqual([
      {
        model: NAME,
        input: {
          messages: [
            { role: "system", content: expect.stringContaining("- yes\n- no") },
            { role: "user", content: "Is it urgent?" },
          ],
          temperature: 0,
          max_tokens: 256,
          response_format: {
            type: "json_schema",
            json_schema: expect.objectContaining({ type: "object", required: ["choice", "reason"] }),
          },
        },
      },
    ]);
  });

  it.each([
    ["a text", { response: text, usage: tokens }],
    ["an object, in JSON mode", { response: JSON.parse(text), usage: tokens, tool_calls: [] }],
    [
      "a chat completion",
      {
        id: "c",
        object: "chat.completion",
        choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
        usage: tokens,
      },
    ],
    [
      "a response with its reasoning",
      {
        id: "r",
        object: "response",
        status: "completed",
        output: [
          { type: "reasoning", id: "1", summary: [], content: [{ type: "reasoning_text", text: "Hm." }] },
          { type: "message", id: "2", role: "assistant", content: [{ type: "output_text", text, annotations: [] }] },
        ],
        usage: { input_tokens: 90, output_tokens: 12, total_tokens: 102 },
      },
    ],
  ])("reads %s", async (_, answer) => {
    const { reply } = await ask(() => answer);
    expect(reply).toMatchObject({ ok: true, tokens: { in: 90, out: 12 } });
    expect(readAnswer(reply.ok ? reply.text : "", question)).toEqual({ ok: true, choice: "yes", reason: "hot" });
  });

  it.each([[undefined], [null], [{}], [{ prompt_tokens: 1 }], ["many"]])(
    "reports no tokens when usage is %j",
    async (usage) => {
      expect((await ask(() => ({ response: text, usage }))).reply).toEqual({ ok: true, text, tokens: undefined });
    },
  );

  it.each([
    [null],
    [undefined],
    ["yes"],
    [{}],
    [{ response: null, tool_calls: [{ name: "x", arguments: {} }] }],
    [{ choices: [{ message: { role: "assistant", content: null } }] }],
    [{ output: [{ type: "reasoning", summary: [] }] }],
    [{ request_id: "batch" }],
    [new ReadableStream()],
  ])("reports the result %j as nonsense", async (answer) => {
    expect((await ask(() => answer)).reply).toMatchObject({ ok: false, why: "nonsense" });
  });

  it.each([
    [5007, "No such model @cf/x or task", "refused", "unknown model (5007)"],
    [3036, "You have used up your daily free allocation of 10,000 neurons", "refused", "(3036)"],
    [3040, "Capacity temporarily exceeded, please try again.", "refused", "no capacity left"],
    [3007, "Request timeout", "timeout", "(3007)"],
    [3006, "Request is too large: Is it urgent?", "refused", "(3006)"],
    [5024, "JSON Mode couldn't be met", "nonsense", "keep to the form"],
  ])(
    "reports the meaning of error %i and not its message, which may quote the prompt",
    async (code, description, why, detail) => {
      const { reply, asked } = await ask(() => fault(code, description));
      expect(reply).toEqual({ ok: false, why, detail: expect.stringContaining(detail) });
      expect(JSON.stringify(reply)).not.toContain("urgent");
      expect(asked).toHaveLength(1);
    },
  );

  it("reports a broken or missing binding as unreachable", async () => {
    const broken = () => {
      throw new Error("Network connection lost.");
    };
    expect((await ask(broken)).reply).toMatchObject({ ok: false, why: "unreachable" });
    const [model] = ModelSettingsInput.parse({ models: [{ kind: "workers-ai", name: "m", model: NAME }] }).models;
    if (model === undefined) throw new Error("no model");
    expect(await askModel(model, question, undefined, fetch)).toMatchObject({ ok: false, why: "unreachable" });
  });

  it("asks a model without support for schemas once more, without a schema", async () => {
    const { reply, asked } = await ask(({ input }) =>
      "response_format" in input ? fault(5025, "This model doesn't support JSON Schema.") : { response: text },
    );
    expect(reply).toMatchObject({ ok: true, text });
    expect(asked.map(({ input }) => "response_format" in input)).toEqual([true, false]);
    const never = await ask(() => fault(5025, "This model doesn't support JSON Schema."));
    expect([never.reply, never.asked.length]).toEqual([expect.objectContaining({ ok: false, why: "refused" }), 2]);
  });

  it("times out when the binding does not answer", async () => {
    const { reply } = await ask(() => new Promise(() => undefined), 100);
    expect(reply).toMatchObject({ ok: false, why: "timeout" });
  });
});
