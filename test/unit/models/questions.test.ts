import { describe, expect, it } from "vitest";
import { viewOf } from "../../../src/core/models/api.ts";
import { reserve, settleCost } from "../../../src/core/models/budget.ts";
import { answerSchema, cutPrompt, highestCost, messagesOf, type Question } from "../../../src/core/models/question.ts";
import { readAnswer } from "../../../src/core/models/read-answer.ts";
import { type ModelSettings, ModelSettingsInput, NO_MODELS, nextSettings } from "../../../src/core/models/settings.ts";
import fc from "../../fast-check.ts";

const question: Question = {
  id: "q",
  model: "small",
  timeoutMs: 1_000,
  prompt: "The disk of gpu-01 is 97 % full.",
  choices: [{ name: "page", means: "wake somebody up" }, { name: "wait" }],
};
const openai = {
  kind: "openai",
  name: "small",
  model: "m",
  url: "https://models.example/v1/chat/completions",
  price_in: 2,
  price_out: 10,
  max_tokens: 100,
};

describe("a prompt", () => {
  it("is sent whole up to 16,000 characters", () => {
    expect(cutPrompt("p".repeat(16_000))).toEqual({ prompt: "p".repeat(16_000) });
  });

  it("is cut there when it is longer, which the cut tells", () => {
    const cut = cutPrompt("p".repeat(16_001));
    expect(cut).toEqual({ prompt: "p".repeat(16_000), cutFrom: 16_001 });
    expect(messagesOf({ ...question, prompt: "p".repeat(16_001) })[1]?.content).toBe(cut.prompt);
  });

  it("is not cut within a character", () => {
    const whole = `${"p".repeat(15_999)}😀 and more`;
    expect(cutPrompt(whole)).toEqual({ prompt: "p".repeat(15_999), cutFrom: whole.length });
  });
});

describe("question to a model", () => {
  it("names the choices in the system message and the schema, and keeps facts of signals in the user message", () => {
    const [system, user] = messagesOf(question);
    expect(system?.content).toContain("- page: wake somebody up\n- wait\n");
    expect(user).toEqual({ role: "user", content: question.prompt });
    expect(answerSchema(question).properties.choice.enum).toEqual(["page", "wait"]);
  });
});

describe("answer of a model", () => {
  it.each([
    ['{"choice":"page","reason":"nearly full"}', { ok: true, choice: "page", reason: "nearly full" }],
    ['{"choice":"wait"}', { ok: true, choice: "wait", reason: undefined }],
    ['{"choice":"format the disk","reason":"as told"}', { ok: false, detail: "the answer is none of the choices" }],
    ['{"choice":"Page"}', { ok: false, detail: "the answer is none of the choices" }],
    ['{"choice":"page","run":"rm -rf /"}', { ok: false, detail: expect.stringContaining("not an object with") }],
    ['["page"]', { ok: false, detail: expect.stringContaining("not an object with") }],
    ["page", { ok: false, detail: "the answer is not JSON" }],
    ['```json\n{"choice":"page"}\n```', { ok: true, choice: "page", reason: undefined }],
    ['<think>{"choice":"wait"}</think>\n{"choice":"page"}', { ok: true, choice: "page", reason: undefined }],
    ['<think>{"choice":"wait"}', { ok: false, detail: "the answer is not JSON" }],
    ['I choose {"choice":"page"}', { ok: false, detail: "the answer is not JSON" }],
    ['```\n{"choice":"page"}\n```\n```\n{"choice":"wait"}\n```', { ok: false, detail: "the answer is not JSON" }],
    [`{"choice":"page","reason":"${"x".repeat(20_000)}"}`, { ok: false, detail: expect.stringContaining("16000") }],
  ])("is read from %.40s…", (text, reading) => {
    expect(readAnswer(text, question)).toEqual(reading);
  });

  it("is one of the choices or none, for any text", () => {
    const near = fc.record({
      choice: fc.oneof(fc.string(), fc.constantFrom("page", "__proto__")),
      reason: fc.anything(),
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          near.map((value) => JSON.stringify(value)),
        ),
        (text) => {
          const reading = readAnswer(text, question);
          expect(!reading.ok || ["page", "wait"].includes(reading.choice)).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe("daily budget", () => {
  const daily = { requests: 2, usd: 1 };
  const noon = Date.UTC(2026, 0, 31, 12);

  it("counts requests and dollars, and begins at zero with each day in UTC", () => {
    const first = reserve(undefined, 0.6, daily, noon);
    expect(first).toEqual({ day: "2026-01-31", requests: 1, usd: 0.6 });
    expect(reserve(first, 0.6, daily, noon)).toBeUndefined();
    const second = reserve(settleCost(first ?? never(), "2026-01-31", 0.6, 0.01), 0.6, daily, noon);
    expect(second?.requests).toBe(2);
    expect(reserve(second, 0, daily, noon)).toBeUndefined();
    expect(reserve(second, 0.6, daily, noon + 43_200_000)).toEqual({ day: "2026-02-01", requests: 1, usd: 0.6 });
  });

  it("gives nothing back today for a reservation of yesterday", () => {
    const today = { day: "2026-02-01", requests: 1, usd: 0.2 };
    expect(settleCost(today, "2026-01-31", 0.6, 0.1)).toEqual(today);
  });

  it("reserves more than any answer can cost", () => {
    const [model] = ModelSettingsInput.parse({ models: [openai] }).models;
    expect(highestCost(question, model ?? never())).toBeGreaterThan((100 * 10 + question.prompt.length * 2) / 1e6);
  });
});

describe("settings of models", () => {
  const parse = (models: unknown, version?: number) => ModelSettingsInput.parse({ enabled: true, models, version });
  const settled = (...changes: ReturnType<typeof parse>[]) =>
    changes.reduce<ModelSettings>((settings, wanted) => nextSettings(wanted, settings) ?? never(), NO_MODELS);

  it("are disabled with a small budget by default", () => {
    expect(NO_MODELS).toEqual({ enabled: false, models: [], daily: { requests: 100, usd: 1 }, version: 0 });
  });

  it("never show a key", () => {
    const settings = settled(parse([{ ...openai, api_key: "sk-secret" }]));
    const view = viewOf(settings, { day: "2026-01-31", requests: 0, usd: 0 });
    expect(view.models[0]).toMatchObject({ name: "small", has_key: true });
    expect(JSON.stringify(view)).not.toContain("sk-secret");
  });

  it("keep the key of an unchanged address, and drop it for another address", () => {
    const before = parse([{ ...openai, api_key: "sk-secret" }]);
    expect(settled(before, parse([openai])).models[0]).toMatchObject({ api_key: "sk-secret" });
    const elsewhere = parse([{ ...openai, url: "https://attacker.example/v1" }]);
    expect(settled(before, elsewhere).models[0]).not.toHaveProperty("api_key");
  });

  it("are changed when the change names the version in force, or none", () => {
    const first = settled(parse([openai], 0));
    expect(first.version).toBe(1);
    expect(nextSettings(parse([], 0), first)).toBeUndefined();
    expect(nextSettings(parse([], 1), first)).toMatchObject({ models: [], version: 2 });
    expect(nextSettings(parse([]), first)).toMatchObject({ models: [], version: 2 });
  });

  it.each(["http://models.example/v1", "ftp://models.example/", "https://name:word@models.example/", "models"])(
    "refuse the address %s",
    (url) => {
      expect(ModelSettingsInput.safeParse({ models: [{ ...openai, url }] }).success).toBe(false);
    },
  );

  it("refuse two models of one name", () => {
    expect(ModelSettingsInput.safeParse({ models: [openai, openai] }).error?.issues[0]?.path).toEqual(["models"]);
  });
});

function never(): never {
  throw new Error("a value is missing");
}
