import { describe, expect, test } from "vitest";
import type { AgentView } from "../../../src/core/hosts/api.ts";
import type { Gap } from "../../../src/core/introspection/api.ts";
import { admitRule } from "../../../src/core/policy/admit-rule.ts";
import type { Decision } from "../../../src/core/policy/decision.ts";
import { PolicyEngine } from "../../../src/core/policy/engine.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { type ContextPorts, QuestionContext } from "../../../src/durable-objects/policy/question-context.ts";
import { aRule, aSignal } from "./a-signal.ts";

const AT = "2026-01-06T08:00:00.000Z";
const gap = (name: string): Gap => ({
  name,
  category: "performance",
  type: "gap",
  reason: `because of ${name}`,
  alignment_score: 0.8,
  install_cost: 0.3,
  metadata: {},
  status: "open",
  raised_at: AT,
  last_seen_at: AT,
  fingerprint: name,
});
const host = (name: string, state: "up" | "down"): AgentView => ({
  host: name,
  state,
  since: AT,
  reason: "linked",
  last_seen: AT,
  links: 1,
  version: null,
  runs: null,
  alerts: [],
  failing: {},
  facts: null,
});
const decision = (id: string, rule: string, choice?: string): Decision => ({
  id,
  rule,
  rule_version: 1,
  signal: { seq: Number(id.slice(1)), id: `s-${id}`, signal: "Q_A" },
  decided_at: AT,
  outcome: "fired",
  values: {},
  effects: [],
  ...(choice !== undefined && { asked: { model: "m", prompt: "p", choices: [choice], state: "answered", choice } }),
});

const asking = (context: object) => ({
  id: "asking",
  when: "Q_A",
  ask: {
    model: "m",
    prompt: "'Which?'",
    fallback: "no",
    choices: [{ name: "yes" }, { name: "no" }],
    context,
  },
});

/** What a rule with such a context gathers for a signal of a host. */
async function gathered(context: object, ports: Partial<ContextPorts> = {}) {
  const signal = aSignal("Q_A", { host: "gpu-1" }, 10);
  const [outcome] = new PolicyEngine([aRule(asking(context))]).evaluate(signal).outcomes;
  const wanted = outcome?.question?.context;
  if (wanted === undefined) throw new Error(outcome?.reason ?? "no context");
  const none: ContextPorts = {
    decisions: { list: () => ({ decisions: [], next: null }) },
    read: async () => ({ lines: [], next: null }),
    gaps: async () => [],
    agent: async () => null,
    agents: async () => ({ agents: [], next: null }),
  };
  return new QuestionContext({ ...none, ...ports }).gather(wanted, { seq: signal.seq, id: "d9" });
}

describe("a rule that asks a model, with a context", () => {
  test("tells earlier signals of these names whose facts have these values, over several pages", async () => {
    const pages = [
      [aSignal("Q_B", { host: "gpu-2", n: 3 }, 3), aSignal("Q_B", { host: "gpu-1", n: 2 }, 2)],
      [],
      [aSignal("Q_B", { host: "gpu-1", n: 1 }, 1)],
    ] as Signal[][];
    const asked: object[] = [];
    const { text } = await gathered(
      { signals: [{ of: "Q_B", where: { host: "facts.host" }, within: "2h" }] },
      {
        read: async (query) => {
          asked.push(query);
          const page = pages[asked.length - 1] ?? [];
          return { lines: page.map((one) => JSON.stringify(one)), next: asked.length < pages.length ? 100 : null };
        },
      },
    );
    expect([...text.matchAll(/"n":(\d)/g)].map(([, n]) => n).sort()).toEqual(["1", "2"]);
    expect(asked).toMatchObject([{ signals: ["Q_B"], order: "desc" }, { after: 100 }, { after: 100 }]);
  });

  test("tells open gaps by name, hosts by name, and earlier decisions without its own", async () => {
    const { text, failed } = await gathered(
      {
        gaps: { of: "'cpu_*'" },
        hosts: { of: "[facts.host, 'disk-1']" },
        decisions: { of: ["asking", "other"], at_most: 2 },
      },
      {
        gaps: async () => [gap("cpu_bottleneck"), gap("slow")],
        agent: async (name) => (name === "gpu-1" ? host(name, "down") : null),
        decisions: {
          list: ({ rule }) => ({
            decisions: rule === "asking" ? [decision("d9", "asking"), decision("d7", "asking", "yes")] : [],
            next: null,
          }),
        },
      },
    );
    expect(failed).toBeUndefined();
    expect(text).toContain('{"gap":"cpu_bottleneck"');
    expect(text).not.toContain('"slow"');
    expect(text).toContain('{"host":"gpu-1","state":"down"');
    expect(text.match(/"rule":/g)).toHaveLength(1);
    expect(text).toContain('"choice":"yes","model":true');
  });

  test("finds hosts by a pattern on every page, and gaps of every name where none is given", async () => {
    const { text } = await gathered(
      { gaps: {}, hosts: { of: "'gpu-*'", at_most: 2 } },
      {
        gaps: async () => [gap("slow")],
        agents: async ({ after }) =>
          after === undefined
            ? { agents: [host("disk-1", "up"), host("gpu-1", "up")], next: "gpu-1" }
            : { agents: [host("gpu-2", "down"), host("gpu-3", "up")], next: null },
      },
    );
    expect([...text.matchAll(/"host":"([^"]*)"/g)].map(([, name]) => name)).toEqual(["gpu-1", "gpu-2"]);
    expect(text).toContain('{"gap":"slow"');
  });

  test("asks without a part that cannot be read, and names it", async () => {
    const gaps = () => Promise.reject(new Error("the object is suspended"));
    expect(await gathered({ gaps: {}, hosts: { of: "'a'" } }, { gaps })).toEqual({
      text: "Hosts:\nnone",
      failed: { gaps: "the object is suspended" },
    });
  });

  test("fails where a name is no text, and is refused where the context is not valid", async () => {
    await expect(gathered({ hosts: { of: "facts.host == 'x'" } })).rejects.toThrow(
      "ask.context.hosts.of gives false: it must give a name, or a list of 64 at most",
    );
    const pointers = (context: object) => {
      const admitted = admitRule(asking(context));
      return admitted.ok ? [] : admitted.errors.map(({ pointer }) => pointer);
    };
    expect(pointers({})).toEqual(["/ask/context"]);
    expect(pointers({ hosts: { of: "facts." } })).toEqual(["/ask/context/hosts/of"]);
    expect(pointers({ signals: [{ of: "Q_B", within: "8d" }] })).toEqual(["/ask/context/signals/0/within"]);
    expect(pointers({ gaps: { at_most: 51 } })).toEqual(["/ask/context/gaps/at_most"]);
  });
});
