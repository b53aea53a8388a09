import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type * as z from "zod";
import { CloseRequest, ReserveRequest, SettleRequest } from "../../../src/core/limits/api.ts";
import { LimitInput } from "../../../src/core/limits/settings.ts";
import { newState } from "../../../src/core/limits/state.ts";
import { limitView } from "../../../src/core/limits/view.ts";
import { TaskInput } from "../../../src/core/queue/task-input.ts";
import { startEdge } from "../cli/fake-edge.ts";
import { ganglion } from "../cli/ganglion.ts";

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

  it("shows commands that work, and that set what the page shows beside them", async () => {
    const view = limitView("anthropic", LimitInput.parse({}), newState(0), undefined);
    const { url, received } = await startEdge(({ url: { pathname } }) => [
      200,
      pathname.endsWith("/limits") ? { limits: [view] } : view,
    ]);
    const commands = [...page.matchAll(/^ganglion (limits.*?)(?:\s+#.*)?$/gm)].map(([, line]) => line ?? "");
    expect(commands).toHaveLength(5);
    for (const line of commands) {
      const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
      const { code, err } = await ganglion([...words, "--url", url]);
      expect([line, code, err]).toEqual([line, 0, ""]);
    }
    const shown = blocks.find(({ kind }) => kind === "limit")?.text ?? "";
    expect(received.find(({ method }) => method === "PUT")?.body).toEqual(JSON.parse(shown));
  });

  it("names the field of a task by which it is parked", () => {
    expect(TaskInput.safeParse({ recipient: "a", type: "B", payload: 1, limits: ["anthropic"] }).success).toBe(true);
  });
});

const shown = (value: unknown) => (typeof value === "number" ? String(value) : `\`${value}\``);
