import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type * as z from "zod";
import { CloseRequest, ReserveRequest, SettleRequest } from "../../../src/core/limits/api.ts";
import { LimitInput } from "../../../src/core/limits/settings.ts";
import { TaskInput } from "../../../src/core/queue/task-input.ts";

const page = readFileSync(new URL("../../../docs/limits.md", import.meta.url), "utf8");
const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  limit: LimitInput,
  reserve: ReserveRequest,
  settle: SettleRequest,
  close: CloseRequest,
};
const blocks = [...page.matchAll(/<!-- (\w+) -->\n```json\n([\s\S]*?)```/g)].map(([, kind = "", text = ""]) => ({
  kind,
  text,
}));

describe("the page about limits", () => {
  it.each(blocks)("shows a $kind that is taken as it stands", ({ kind, text }) => {
    const parsed = SCHEMAS[kind]?.safeParse(JSON.parse(text));
    expect(parsed?.error?.issues ?? []).toEqual([]);
    expect(parsed?.success).toBe(true);
  });

  it("shows one of each kind, and every setting with its default", () => {
    expect(new Set(blocks.map(({ kind }) => kind))).toEqual(new Set(Object.keys(SCHEMAS)));
    const defaults = LimitInput.parse({});
    for (const field of Object.keys(LimitInput.shape)) expect(page).toContain(`\`${field}\``);
    const row = (field: string) => page.split("\n").find((line) => line.startsWith(`| \`${field}\``)) ?? "";
    for (const [field, value] of Object.entries(defaults)) expect(row(field)).toContain(`| ${shown(value)} |`);
  });

  it("names the field of a task by which it is parked", () => {
    expect(TaskInput.safeParse({ recipient: "a", type: "B", payload: 1, limits: ["anthropic"] }).success).toBe(true);
  });
});

const shown = (value: unknown) => (typeof value === "number" ? String(value) : `\`${value}\``);
