import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { admitRule } from "../../../src/core/policy/admit-rule.ts";
import { PolicyEngine } from "../../../src/core/policy/engine.ts";
import type { Facts } from "../../../src/core/signals/signal.ts";
import { aSignal } from "./a-signal.ts";

/** Facts of a signal as hosts send it, for each rule that the documents show. */
const FACTS: Readonly<Record<string, Facts>> = {
  "hot-gpu": alert("gpu_temperature", 91, 87),
  "backups-end": { host: "gpu-01" },
  "triage-disk": alert("disk", 97, 90),
  "report-full-disks": alert("disk", 97, 90),
  "breaker-alerts": { queue: "intelligence", recipient: "gpu-01", state: "opened", reason: "5 calls in a row failed" },
};

function alert(kind: string, value: number, limit: number): Facts {
  return { host: "gpu-01", kind, subject: kind, state: "raised", value, limit, since: "2026-01-01T00:00:00.000Z" };
}

interface Documented {
  readonly id: string;
  readonly rule: Record<string, unknown>;
}

/** The rules in the code blocks of a document, also those that a shell writes to a file. */
function rulesOf(text: string): Documented[] {
  const blocks = [...text.matchAll(/```(yaml|sh)\n(.*?)```/gs)].map(([, kind, block = ""]) =>
    kind === "yaml" ? block : [...block.matchAll(/<<'?YAML'?\n(.*?)\nYAML/gs)].map(([, yaml]) => yaml).join("\n---\n"),
  );
  return blocks.flatMap((block) =>
    parseAllDocuments(block).flatMap((document): Documented[] => {
      const rule: unknown = document.toJS();
      return isRule(rule) ? [{ id: rule.id, rule }] : [];
    }),
  );
}

const isRule = (value: unknown): value is { id: string; when: unknown } =>
  typeof value === "object" && value !== null && "when" in value && "id" in value && typeof value.id === "string";

const documents = ["README.md", ...readdirSync(join(PROJECT_ROOT, "docs")).map((name) => `docs/${name}`)];
const documented = documents
  .filter((name) => name.endsWith(".md"))
  .flatMap((name) => rulesOf(readFileSync(join(PROJECT_ROOT, name), "utf8")).map((one) => ({ ...one, name })));

describe("a rule that the documents show", () => {
  it("is found in each document that shows one", () => {
    expect(documented.map(({ id }) => id).sort()).toEqual(Object.keys(FACTS).sort());
  });

  it.each(documented)("fires on the signal for which it is written: $id in $name", ({ id, rule }) => {
    const admitted = admitRule(rule);
    if (!admitted.ok) throw new Error(JSON.stringify(admitted.errors));
    const engine = new PolicyEngine([{ ...admitted.rule, version: 1 }]);
    const facts = FACTS[id] ?? {};
    const times = admitted.rule.at_least?.n ?? 1;
    const outcomes = Array.from(
      { length: times },
      (_, place) => engine.evaluate(aSignal(String(rule.when), facts, place * 1_000)).outcomes,
    );
    expect(outcomes.at(-1)).toMatchObject([{ outcome: "fired" }]);
  });
});
