import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { viewOf } from "../../../src/core/models/api.ts";
import { type ModelSettings, ModelSettingsInput, NO_MODELS, nextSettings } from "../../../src/core/models/settings.ts";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const KEY = "sk-very-secret";
const URL_OF = "https://models.example/v1/chat/completions";

/** Keeps settings as the edge does. */
async function edge() {
  let settings: ModelSettings = NO_MODELS;
  const before: (() => void)[] = [];
  const fake = await startEdge(({ method, body }) => {
    if (method === "PUT") {
      before.shift()?.();
      const next = nextSettings(ModelSettingsInput.parse(body), settings);
      if (next === undefined)
        return [409, { type: "/problems/version-conflict", title: "Another version", status: 409 }];
      settings = next;
    }
    return [200, viewOf(settings, { day: "2026-01-31", requests: 3, usd: 0.25 })];
  });
  return {
    run: (args: readonly string[], input?: string) =>
      ganglion(["models", ...args, "--url", fake.url], input === undefined ? {} : { input }),
    settings: () => settings,
    /** Somebody else changes the settings before the next changes come. */
    meanwhile: (times: number, change: (settings: ModelSettings) => ModelSettings) => {
      for (let n = 0; n < times; n++)
        before.push(() => {
          settings = { ...change(settings), version: settings.version + 1 };
        });
    },
  };
}
const fileWith = (text: string) => {
  const file = join(mkdtempSync(join(tmpdir(), "ganglion-models-")), "key");
  writeFileSync(file, text);
  return file;
};

describe("ganglion models", () => {
  it("adds a model with the key of a file, changes what is named, and never shows the key", async () => {
    const { run, settings } = await edge();
    const file = fileWith(`${KEY}\n`);
    const added = await run(["set", "small", "--model", "gpt-4.1-mini", "--endpoint", URL_OF, "--key-file", file]);
    expect([added.code, added.out]).toEqual([0, "small is set\n"]);
    expect(added.err).toContain("No model is asked yet");
    expect(settings().models).toMatchObject([{ name: "small", kind: "openai", model: "gpt-4.1-mini", api_key: KEY }]);
    await run(["set", "small", "--price-in", "0.4", "--price-out", "1.6"]);
    await run(["set", "near", "--kind", "workers-ai", "--model", "@cf/meta/llama"]);
    await run(["enable"]);
    await run(["budget", "--usd", "2.5"]);
    expect(settings()).toMatchObject({
      enabled: true,
      models: [{ name: "small", price_in: 0.4, price_out: 1.6, api_key: KEY }, { name: "near" }],
      daily: { requests: 100, usd: 2.5 },
    });
    const table = await run([]);
    expect(table.out).toMatch(/small +openai +gpt-4.1-mini +yes +0.4 +1.6 +256 +https:/);
    expect(table.err).toBe("enabled; today (2026-01-31) 3 of 100 questions and $0.2500 of $2.5\n");
    const json = await run(["list", "--json"]);
    expect(JSON.parse(json.out)).toMatchObject({ models: [{ name: "small", has_key: true }, { name: "near" }] });
    expect([added, table, json].map(({ out, err }) => out + err).join("")).not.toContain(KEY);
    expect((await run(["remove", "near"])).out).toBe("near is removed\n");
    expect((await run(["remove", "near"])).code).toBe(1);
    await run(["disable"]);
    expect(settings()).toMatchObject({ enabled: false, models: [{ name: "small", api_key: KEY }] });
  });

  it("makes its change in what somebody else has left in between, and gives up where that never ends", async () => {
    const { run, settings, meanwhile } = await edge();
    meanwhile(2, (before) => ({ ...before, enabled: true }));
    expect((await run(["budget", "--requests", "7"])).code).toBe(0);
    expect(settings()).toMatchObject({ enabled: true, daily: { requests: 7 }, version: 3 });
    meanwhile(100, (before) => before);
    const { code, err } = await run(["disable"]);
    expect([code, err]).toEqual([1, "ganglion: Another version\n"]);
    expect(settings().enabled).toBe(true);
  });

  it("takes a key from the standard input, and says when a new address has lost it", async () => {
    const { run, settings } = await edge();
    await run(["set", "small", "--model", "m", "--endpoint", URL_OF, "--key-file", "-"], KEY);
    expect(settings().models).toMatchObject([{ api_key: KEY }]);
    const moved = await run(["set", "small", "--endpoint", "https://elsewhere.example/v1"]);
    expect(moved.err).toContain("The stored key belonged to another address and was removed");
    expect(settings().models[0]).not.toHaveProperty("api_key");
  });

  it("says what is missing or wrong before it asks the edge, without the secret", async () => {
    const { run, settings } = await edge();
    const wrong = await run([
      "set",
      "small",
      "--model",
      "m",
      "--endpoint",
      URL_OF,
      "--key-file",
      fileWith("two words"),
    ]);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringMatching(/does not hold a key: one word/)]);
    expect(wrong.err).not.toContain("two words");
    for (const [args, message] of [
      [["set", "small"], "A new model needs --model"],
      [["set", "small", "--model", "m"], "A new model needs --endpoint"],
      [
        ["set", "small", "--model", "m", "--kind", "workers-ai", "--endpoint", URL_OF],
        "has no --endpoint and no --key-file",
      ],
      [["set", "small", "--model", "m", "--key-file", "/nowhere/key"], "there is no file"],
      [["set", "small", "--model", "m", "--key-file", "-"], "the standard input holds no key"],
      [["budget"], "Give --requests, --usd, or both"],
      [["budget", "--usd", "-1"], "Give a number from 0"],
    ] as const) {
      const { code, err } = await run(args);
      expect([code, err]).toEqual([2, expect.stringContaining(message)]);
    }
    expect(settings().models).toEqual([]);
  });
});
