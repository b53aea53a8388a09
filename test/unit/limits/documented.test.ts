import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type * as z from "zod";
import { CloseRequest, ReserveRequest, SettleRequest } from "../../../src/core/limits/api.ts";
import { BudgetInput, type BudgetSettings } from "../../../src/core/limits/budgets/settings.ts";
import { budgetView } from "../../../src/core/limits/budgets/view.ts";
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
  budget: BudgetInput,
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
    const defaults = { ...LimitInput.parse({}), ...omitScope(BudgetInput.parse({ scope: "agent", usd: 1 })) };
    for (const field of Object.keys({ ...LimitInput.shape, ...BudgetInput.shape }))
      expect(page).toContain(`\`${field}\``);
    const row = (field: string) => page.split("\n").find((line) => line.startsWith(`| \`${field}\``)) ?? "";
    for (const [field, value] of Object.entries(defaults)) expect(row(field)).toContain(`| ${shown(value)} |`);
  });

  it("shows commands that work, and that set what the page shows beside them", async () => {
    const view = limitView("anthropic", LimitInput.parse({}), newState(0), undefined, []);
    const settings = BudgetInput.parse({ scope: "agent", usd: 5 });
    const budget = budgetView({ name: "coders", settings, counters: 0, createdMs: 0, changedMs: 0 }, []);
    const { url, received } = await startEdge(({ url: { pathname } }) => {
      if (pathname.endsWith("/budgets")) return [200, { budgets: [budget] }];
      if (pathname.includes("/budgets/")) return [200, budget];
      return [200, pathname.endsWith("/limits") ? { limits: [view] } : view];
    });
    const commands = [...page.matchAll(/^ganglion (limits.*?)(?:\s+#.*)?$/gm)].map(([, line]) => line ?? "");
    expect(commands).toHaveLength(10);
    for (const line of commands) {
      const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
      const { code, err } = await ganglion([...words, "--url", url]);
      expect([line, code, err]).toEqual([line, 0, ""]);
    }
    for (const kind of ["limit", "budget"]) {
      const shown = blocks.find((block) => block.kind === kind)?.text ?? "";
      const put = received.find(({ method, url: at }) => method === "PUT" && at.pathname.includes(`/${kind}s/`));
      expect(put?.body).toEqual(JSON.parse(shown));
    }
  });

  it("names the field of a task by which it is parked", () => {
    expect(TaskInput.safeParse({ recipient: "a", type: "B", payload: 1, limits: ["anthropic"] }).success).toBe(true);
  });
});

const omitScope = ({ match, per, zone, at_end }: BudgetSettings) => ({ match, per, zone, at_end });
const shown = (value: unknown) => (typeof value === "number" ? String(value) : `\`${value}\``);
