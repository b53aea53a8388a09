import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { Models } from "../../../src/durable-objects/models/object.ts";
import { app } from "../../../src/workers/app.ts";
import { models as modelsOf } from "../../../src/workers/bindings/objects.ts";
import { ADMIN, call, freshEcosystem, post, problemOf } from "../api/calls.ts";

const put = (eco: string, body: unknown, token?: string) =>
  call(`/v1/${eco}/models`, {
    method: "PUT",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
    ...(token === undefined ? {} : { token }),
  });
const small = {
  name: "small",
  kind: "openai",
  url: "https://models.example/v1/chat/completions",
  model: "tiny",
  api_key: "sk-secret",
  price_in: 0.4,
  price_out: 1.6,
};

describe("GET and PUT /models", () => {
  it("are disabled at first, and store the settings without ever showing a key", async () => {
    const eco = freshEcosystem();
    expect(await (await call(`/v1/${eco}/models`)).json()).toMatchObject({ enabled: false, models: [] });
    const answer = await put(eco, { enabled: true, models: [small], daily: { requests: 5, usd: 0.5 } });
    const text = await answer.text();
    expect([answer.status, text.includes("sk-secret")]).toEqual([200, false]);
    expect(await (await call(`/v1/${eco}/models`)).json()).toMatchObject({
      enabled: true,
      models: [{ name: "small", has_key: true, price_in: 0.4, max_tokens: 256 }],
      daily: { requests: 5, usd: 0.5 },
      spent: { requests: 0, usd: 0 },
    });
  });

  it("refuse a change that names a version which is not in force", async () => {
    const eco = freshEcosystem();
    const { version } = (await (await call(`/v1/${eco}/models`)).json()) as { version: number };
    expect(await (await put(eco, { models: [small], version })).json()).toMatchObject({ version: version + 1 });
    const late = await problemOf(await put(eco, { enabled: true, version }));
    expect(late).toMatchObject({ status: 409, type: "/problems/version-conflict", version: version + 1 });
    expect(await (await call(`/v1/${eco}/models`)).json()).toMatchObject({
      enabled: false,
      models: [{ name: "small" }],
    });
  });

  it("refuse invalid settings with their place, without quoting a key", async () => {
    const eco = freshEcosystem();
    const wrong = await put(eco, { models: [{ ...small, api_key: "sk secret", url: "http://models.example/" }] });
    const problem = await problemOf(wrong);
    expect(problem.errors?.map(({ pointer }) => pointer).sort()).toEqual(["/models/0/api_key", "/models/0/url"]);
    expect(JSON.stringify(problem)).not.toContain("sk secret");
    expect((await problemOf(await put(eco, { enable: true }))).errors?.[0]?.pointer).toBe("/enable");
  });

  it.each(["https://10.0.0.1/", "https://[2001:0:4136:e378::1]/", "https://models.internal/", "http://127.0.0.1/"])(
    "refuse %s where the edge does not allow private addresses, also for models that were set before",
    async (url) => {
      const eco = freshEcosystem();
      const settings = { enabled: true, models: [{ ...small, url }] };
      const strict = { ...(env as object), WEBHOOKS_ALLOW_PRIVATE: undefined };
      const headers = { Authorization: `Bearer ${ADMIN}`, "Content-Type": "application/json" };
      const body = JSON.stringify(settings);
      const refused = await app.request(`/v1/${eco}/models`, { method: "PUT", headers, body }, strict);
      expect(await problemOf(refused)).toMatchObject({
        status: 422,
        errors: [{ pointer: "/models/0/url", message: expect.stringContaining("WEBHOOKS_ALLOW_PRIVATE") }],
      });
      expect((await put(eco, settings)).status).toBe(200);
      const answer = await runInDurableObject(modelsOf(env, eco), (_, state) =>
        new Models(state, { WEBHOOKS_ALLOW_PRIVATE: "false" }).ask({
          id: "q",
          model: "small",
          prompt: "p",
          timeoutMs: 1_000,
          choices: [],
        }),
      );
      expect(answer).toMatchObject({ failure: "unreachable", detail: expect.stringContaining("private network") });
    },
  );

  it("let only administrators change the settings", async () => {
    const eco = freshEcosystem();
    const created = await post("/v1/tokens", { name: "rules", scopes: ["policy:write"], ecosystems: [eco] });
    const { token } = (await created.json()) as { token: string };
    expect((await call(`/v1/${eco}/models`, { token })).status).toBe(200);
    expect((await put(eco, { enabled: true }, token)).status).toBe(403);
  });
});
