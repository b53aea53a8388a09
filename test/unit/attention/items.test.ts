import { describe, expect, test } from "vitest";
import { attentionItems, byUrgency, type EcosystemState } from "../../../src/core/attention/items.ts";
import { budgetView, newBudget, withSpent } from "../../../src/core/billing/budget.ts";
import type { AgentView } from "../../../src/core/hosts/api.ts";
import type { Gap } from "../../../src/core/introspection/api.ts";

const AT = "2026-01-01T00:00:00.000Z";
const LATER = "2026-01-02T00:00:00.000Z";
const quiet: EcosystemState = {
  ecosystem: "e",
  agents: [],
  gaps: [],
  quarantined: [],
  queues: [],
  deadLetters: 0,
  forwardsWaiting: {},
  budget: budgetView(newBudget(0), 0),
};
const host = (name: string, more: Partial<AgentView> = {}): AgentView => ({
  host: name,
  state: "up",
  since: AT,
  reason: "linked",
  last_seen: AT,
  links: 1,
  version: null,
  runs: null,
  alerts: [],
  failing: {},
  facts: null,
  ...more,
});
const gap = (name: string, alignment_score: number): Gap => ({
  name,
  category: "resource",
  type: "t",
  reason: "too hot",
  alignment_score,
  install_cost: 0,
  metadata: {},
  status: "open",
  raised_at: AT,
  last_seen_at: AT,
  fingerprint: name,
});

describe("what needs somebody", () => {
  test("is nothing in an ecosystem where everything is well", () => {
    expect(attentionItems({ ...quiet, agents: [host("h")], forwardsWaiting: { fleet: 99 } })).toEqual([]);
  });

  test("comes most urgent first, and of the same urgency what has stood longest", () => {
    const alert = { subject: "disk:/", since: LATER, value: 97, limit: 90 };
    const items = attentionItems({
      ...quiet,
      agents: [host("up", { alerts: [alert] }), host("gone", { state: "down", reason: "link_lost", since: LATER })],
      gaps: [gap("mild", 0.2), gap("hot", 0.9)],
      quarantined: ["loop"],
      queues: [{ queue: "jobs", alerts: [{ rule: "depth", subject: "jobs", raised_at: AT }] }],
      deadLetters: 2,
      forwardsWaiting: { fleet: 100 },
    });
    expect(items.map(({ severity, kind, subject }) => [severity, kind, subject])).toEqual([
      ["critical", "host_down", "gone"],
      ["critical", "rule_quarantined", "loop"],
      ["warning", "gap", "hot"],
      ["warning", "queue_alert", "jobs"],
      ["warning", "host_alert", "up"],
      ["warning", "dead_letters", "2 dead letters"],
      ["warning", "forwards_waiting", "fleet"],
      ["info", "gap", "mild"],
    ]);
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
    expect(items.every(({ ecosystem, next_step }) => ecosystem === "e" && next_step !== "")).toBe(true);
  });

  test("is an agent that its supervisor has given up, and none that runs", () => {
    const agents = [
      { name: "coder", state: "gave_up" },
      { name: "tester", state: "up" },
    ];
    const items = attentionItems({
      ...quiet,
      agents: [host("h", { runs: { agents } }), host("i", { runs: { agents: 7 } })],
    });
    expect(items).toMatchObject([{ kind: "agent_given_up", severity: "critical", subject: "coder on h", since: null }]);
  });

  test("is a budget of which 80 % are spent, and more urgently one that is exceeded", () => {
    const budgetOf = (usd: number) => {
      const nowMs = Date.parse(AT);
      return budgetView(withSpent({ ...newBudget(nowMs), monthly_usd: 10 }, usd, nowMs).budget, nowMs);
    };
    const found = (usd: number) => attentionItems({ ...quiet, budget: budgetOf(usd) });
    expect(found(7.99)).toEqual([]);
    expect(found(8)).toMatchObject([
      { kind: "budget", severity: "warning", why: "$8.00 of the month's $10 are spent (80 %)" },
    ]);
    expect(found(11)).toMatchObject([
      { severity: "critical", effects: ["one of 10 observations is taken, 0 were left out"] },
    ]);
  });

  test("of several ecosystems is ordered as that of one is", () => {
    const down = (ecosystem: string, since: string) =>
      attentionItems({ ...quiet, ecosystem, agents: [host("h", { state: "down", since })] });
    const all = [
      ...down("b", LATER),
      ...attentionItems({ ...quiet, deadLetters: 1 }),
      ...down("a", AT),
      ...down("a", LATER),
    ];
    expect(all.sort(byUrgency).map(({ ecosystem, since }) => [ecosystem, since])).toEqual([
      ["a", AT],
      ["a", LATER],
      ["b", LATER],
      ["e", null],
    ]);
  });
});
