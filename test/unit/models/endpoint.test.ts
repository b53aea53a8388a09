import { describe, expect, it } from "vitest";
import type { Question } from "../../../src/core/models/question.ts";
import { ModelSettingsInput } from "../../../src/core/models/settings.ts";
import { askModel } from "../../../src/durable-objects/models/endpoint.ts";
import { complete, startModel } from "../../harness/fake-model.ts";

const question: Question = {
  id: "q",
  model: "small",
  timeoutMs: 10_000,
  prompt: "Is it urgent?",
  choices: [{ name: "yes" }, { name: "no" }],
};

async function ask(url: string, timeoutMs = 10_000) {
  const [model] = ModelSettingsInput.parse({
    models: [{ kind: "openai", name: "small", model: "tiny", url, api_key: "sk-secret" }],
  }).models;
  if (model === undefined) throw new Error("no model");
  return askModel(model, { ...question, timeoutMs }, undefined, fetch);
}

describe("asking a model at an endpoint", () => {
  it("sends the key, the messages and the schema, and reads the completion", async () => {
    const model = await startModel((_, response) => complete(response, '{"choice":"yes"}'));
    expect(await ask(model.url)).toEqual({ ok: true, text: '{"choice":"yes"}', tokens: { in: 100, out: 20 } });
    const [asked] = model.asked;
    expect(asked).toMatchObject({
      path: "/v1/chat/completions",
      authorization: "Bearer sk-secret",
      body: { model: "tiny" },
    });
    expect(asked?.body.messages.at(-1)).toEqual({ role: "user", content: "Is it urgent?" });
    expect(asked?.body.response_format.json_schema.schema).toMatchObject({
      properties: { choice: { enum: ["yes", "no"] } },
    });
  });

  it("times out, also in the middle of an answer", async () => {
    const silent = await startModel(() => undefined);
    expect(await ask(silent.url, 200)).toMatchObject({ ok: false, why: "timeout" });
    const slow = await startModel((_, response) => {
      response.writeHead(200);
      response.write('{"choices":');
    });
    expect(await ask(slow.url, 200)).toMatchObject({ ok: false, why: "timeout" });
  });

  it("stops reading an endless answer", async () => {
    let sent = 0;
    const endless = await startModel((_, response) => {
      response.writeHead(200);
      const pour = () => {
        while (response.write("x".repeat(65_536))) sent += 65_536;
      };
      response.on("drain", pour);
      pour();
    });
    expect(await ask(endless.url)).toMatchObject({ ok: false, why: "nonsense" });
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it("does not follow a redirect, which would send the key elsewhere", async () => {
    const elsewhere = await startModel((_, response) => complete(response, '{"choice":"yes"}'));
    const moved = await startModel((_, response) => {
      response.writeHead(307, { Location: elsewhere.url });
      response.end();
    });
    expect(await ask(moved.url)).toMatchObject({ ok: false, why: "refused", detail: expect.stringContaining("307") });
    expect(elsewhere.asked).toEqual([]);
  });

  it.each([401, 429, 500])("reports the status %i and not the body, which may quote the key", async (status) => {
    const model = await startModel((_, response) => {
      response.writeHead(status);
      response.end("Incorrect API key provided: sk-secret");
    });
    const reply = await ask(model.url);
    expect(reply).toMatchObject({ ok: false, why: "refused" });
    expect(JSON.stringify(reply)).not.toContain("sk-secret");
  });

  it.each(["", "null", "<html>", "{}", '{"choices":[]}', '{"choices":[{"message":{"content":7}}]}'])(
    "reports the body %s as nonsense",
    async (body) => {
      const model = await startModel((_, response) => response.end(body));
      expect(await ask(model.url)).toMatchObject({ ok: false, why: "nonsense" });
    },
  );

  it("reports an endpoint that does not answer as unreachable", async () => {
    expect(await ask("http://127.0.0.1:9/v1")).toMatchObject({ ok: false, why: "unreachable" });
  });
});
