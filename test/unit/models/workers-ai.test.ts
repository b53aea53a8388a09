import { describe, expect, it } from "vitest";
import { readAnswer } from "../../../src/core/models/read-answer.ts";
import { ModelSettingsInput } from "../../../src/core/models/settings.ts";
import { askModel } from "../../../src/durable-objects/models/endpoint.ts";
import type { AiBinding } from "../../../src/durable-objects/models/workers-ai.ts";

const question = {
  ...{ id: "q", model: "small", prompt: "Is it urgent?", timeoutMs: 10_000 },
  choices: [{ name: "yes" }, { name: "no" }],
};
const NAME = "@cf/meta/llama-3.3-70b-instruct-fp8-fast";

interface Asked {
  readonly model: string;
  readonly input: Record<string, unknown>;
}

/** The binding, as far as it is documented. @param answer - what it gives or throws each time */
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
  return { heard: await askModel(model, { ...question, timeoutMs }, binding), asked };
}

/** As the runtime makes errors of what the service answers. */
function fault(code: number, description: string): never {
  throw Object.assign(new Error(`${code}: ${description}`), { name: "AiError" });
}

const tokens = { prompt_tokens: 90, completion_tokens: 12, total_tokens: 102 };
const text = '{"choice":"yes","reason":"hot"}';

describe("asking Workers AI", () => {
  it("sends messages, the schema and a limit, as its documentation says", async () => {
    const { asked } = await ask(() => ({ response: text }));
    expect(asked).toEqual([
      {
        model: NAME,
        input: {
          messages: [
            { role: "system", content: expect.stringContaining("- yes\n- no") },
            { role: "user", content: "Is it urgent?" },
          ],
          ...{ temperature: 0, max_tokens: 256 },
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
        ...{ id: "r", object: "response", status: "completed" },
        output: [
          { type: "reasoning", id: "1", summary: [], content: [{ type: "reasoning_text", text: "Hm." }] },
          { type: "message", id: "2", role: "assistant", content: [{ type: "output_text", text, annotations: [] }] },
        ],
        usage: { input_tokens: 90, output_tokens: 12, total_tokens: 102 },
      },
    ],
  ])("reads %s", async (_, answer) => {
    const { heard } = await ask(() => answer);
    expect(heard).toMatchObject({ ok: true, tokens: { in: 90, out: 12 } });
    expect(readAnswer(heard.ok ? heard.text : "", question)).toEqual({ ok: true, choice: "yes", reason: "hot" });
  });

  it.each([[undefined], [null], [{}], [{ prompt_tokens: 1 }], ["many"]])(
    "knows no cost where usage is %j",
    async (usage) => {
      expect((await ask(() => ({ response: text, usage }))).heard).toEqual({ ok: true, text, tokens: undefined });
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
  ])("takes %j for nonsense", async (answer) => {
    expect((await ask(() => answer)).heard).toMatchObject({ ok: false, why: "nonsense" });
  });

  it.each([
    [5007, "No such model @cf/x or task", "refused", "there is no such model (5007)"],
    [3036, "You have used up your daily free allocation of 10,000 neurons", "refused", "(3036)"],
    [3040, "Capacity temporarily exceeded, please try again.", "refused", "no capacity left"],
    [3007, "Request timeout", "timeout", "(3007)"],
    [3006, "Request is too large: Is it urgent?", "refused", "(3006)"],
    [5024, "JSON Mode couldn't be met", "nonsense", "keep to the form"],
  ])("tells error %i by what it means, and not what it quotes", async (code, description, why, detail) => {
    const { heard, asked } = await ask(() => fault(code, description));
    expect(heard).toEqual({ ok: false, why, detail: expect.stringContaining(detail) });
    expect(JSON.stringify(heard)).not.toContain("urgent");
    expect(asked).toHaveLength(1);
  });

  it("says that it is out of reach where the binding fails otherwise, or is not there", async () => {
    const broken = () => {
      throw new Error("Network connection lost.");
    };
    expect((await ask(broken)).heard).toMatchObject({ ok: false, why: "unreachable" });
    const [model] = ModelSettingsInput.parse({ models: [{ kind: "workers-ai", name: "m", model: NAME }] }).models;
    if (model === undefined) throw new Error("no model");
    expect(await askModel(model, question, undefined)).toMatchObject({ ok: false, why: "unreachable" });
  });

  it("asks a model that cannot be held to a schema once more, without one", async () => {
    const { heard, asked } = await ask(({ input }) =>
      "response_format" in input ? fault(5025, "This model doesn't support JSON Schema.") : { response: text },
    );
    expect(heard).toMatchObject({ ok: true, text });
    expect(asked.map(({ input }) => "response_format" in input)).toEqual([true, false]);
    const never = await ask(() => fault(5025, "This model doesn't support JSON Schema."));
    expect([never.heard, never.asked.length]).toEqual([expect.objectContaining({ ok: false, why: "refused" }), 2]);
  });

  it("gives up after the time limit, whatever the binding goes on to do", async () => {
    const { heard } = await ask(() => new Promise(() => undefined), 100);
    expect(heard).toMatchObject({ ok: false, why: "timeout" });
  });
});
