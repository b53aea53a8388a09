import { describe, expect, it } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";

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

  it("let only administrators change the settings", async () => {
    const eco = freshEcosystem();
    const created = await post("/v1/tokens", { name: "rules", scopes: ["policy:write"], ecosystems: [eco] });
    const { token } = (await created.json()) as { token: string };
    expect((await call(`/v1/${eco}/models`, { token })).status).toBe(200);
    expect((await put(eco, { enabled: true }, token)).status).toBe(403);
  });
});
