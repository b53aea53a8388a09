import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseFile, Unparsable } from "../../../local-agent/intelligence/parsing/parse-file.ts";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { analysisOf } from "../../../src/core/intelligence/analysis-of.ts";
import { confidenceOf } from "../../../src/core/intelligence/confidence.ts";
import { NODE_TYPES, nodeNameOf } from "../../../src/core/intelligence/node-types.ts";
import { patternOf } from "../../../src/core/intelligence/pattern-of.ts";

const NODES = join(PROJECT_ROOT, "examples", "nodes");
const example = (name: string) => readFileSync(join(NODES, name), "utf8");
const python = (text: string) => parseFile(text, "python");

const EFFECT = "node_user_store_effect.py";
const INCOMPLETE = [
  "node_mail_effect.py",
  "node_tax_compute.py",
  "node_visits_reducer.py",
  "node_nightly_orchestrator.py",
];
const BROKEN = "node_broken_effect.py";
const COMPLETE = readdirSync(NODES).filter(
  (name) => name.endsWith(".py") && name !== BROKEN && !INCOMPLETE.includes(name),
);

describe("a complete file", () => {
  it("is there of each of the four kinds", () => {
    expect(COMPLETE.map((name) => nodeNameOf(name).type).toSorted()).toEqual(NODE_TYPES.toSorted());
  });

  it.each(COMPLETE)("%s is trusted more than 0.9", (name) => {
    expect(confidenceOf(parseFile(example(name), "python"), nodeNameOf(name).type)).toBeGreaterThan(0.9);
  });

  it("gives class, bases, methods, decorators, imports, errors and transactions", () => {
    const pattern = patternOf(parseFile(example(EFFECT), "python"), `store/${EFFECT}`, example(EFFECT), 0);
    expect(pattern).toMatchObject({
      file_path: `store/${EFFECT}`,
      confidence: 1,
      name: "NodeUserStoreEffect",
      description: "Writes users, and says which errors may be tried again.",
      pattern_type: "effect_node",
      node_type: "EFFECT",
      domain: "user_store",
      bases: ["NodeEffect", "MixinRetry"],
      imports: ["logging", "nodes.base", ".errors"],
      error_handling: { caught: ["UniqueViolationError", "ConnectionError"], tries: 1, always_cleans_up: true },
      transaction_management: ["transaction"],
      metadata: { last_updated: "1970-01-01T00:00:00.000Z" },
    });
    expect(pattern.methods).toContainEqual({
      name: "execute_effect",
      signature: 'execute_effect(self, request: "StoreUser") -> "StoredUser"',
      async: true,
      decorators: [],
    });
    expect(pattern.code_snippet).toMatch(/^class NodeUserStoreEffect/);
  });
});

describe("an incomplete file", () => {
  it("is there of each of the four kinds", () => {
    expect(INCOMPLETE.map((name) => nodeNameOf(name).type).toSorted()).toEqual(NODE_TYPES.toSorted());
  });

  it.each(INCOMPLETE)("is trusted half at most, and so not given out unasked: %s", (name) => {
    expect(confidenceOf(parseFile(example(name), "python"), nodeNameOf(name).type)).toBeLessThanOrEqual(0.5);
  });

  it("has in the list of the examples the confidence that it has, as the complete ones do", () => {
    const rows = [...readFileSync(join(NODES, "README.md"), "utf8").matchAll(/^\| `(\S+)` \|.*\| ([\d.]+) \|$/gm)];
    const listed = Object.fromEntries(rows.map(([, name = "", confidence]) => [name, Number(confidence)]));
    const found = [...COMPLETE, ...INCOMPLETE].map((name) => [
      name,
      confidenceOf(parseFile(example(name), "python"), nodeNameOf(name).type),
    ]);
    expect(listed).toEqual(Object.fromEntries(found));
  });

  it("that does not fit the grammar is refused with the place", () => {
    expect(() => parseFile(example("node_broken_effect.py"), "python")).toThrow(Unparsable);
    try {
      parseFile(example("node_broken_effect.py"), "python");
    } catch (error) {
      expect(error).toMatchObject({ line: expect.any(Number), column: expect.any(Number) });
    }
  });

  it("that is nested without end is refused", () => {
    expect(() => python("(".repeat(200_000))).toThrow(Unparsable);
  });
});

describe("valid Python that the grammar does not know", () => {
  it("is read all the same: a yield without a value, and form feeds between functions", () => {
    const { functions } = python(
      "def one():\n    try:\n        yield\n    finally:\n        pass\n\n\f\ndef two():\n    yield\n",
    );
    expect(functions.map(({ name }) => name)).toEqual(["one", "two"]);
  });
});

describe("the figures of a file", () => {
  it("count the ways through a function, and what a reader has to follow", () => {
    const { functions } = python(`
def judge(a, b):
    if a and b:
        for x in a:
            if x:
                return 1
    elif b or a:
        return 2
    else:
        return 3
    return [x for x in a]
`);
    // if, and, for, if, elif, or, comprehension; one way is there without any.
    expect(functions[0]).toMatchObject({ name: "judge", cyclomatic: 8, cognitive: 10 });
  });

  it("name what is known to go wrong, with its line", () => {
    const { issues } = python(`
from os import *
password = "swordfish99"
def load(items=[]):
    global STATE
    try:
        return pickle.loads(items)
    except:
        pass
def run(text):
    eval(text)
    subprocess.run(text, shell=True)
    requests.get(text, verify=False)
    yaml.load(text)
    yaml.load(text, Loader=SafeLoader)
`);
    expect(issues.map(({ rule, line }) => [rule, line])).toEqual([
      ["star-import", 2],
      ["secret-in-code", 3],
      ["mutable-default", 4],
      ["global-statement", 5],
      ["bare-except", 8],
      ["swallowed-error", 8],
      ["unsafe-loading", 7],
      ["dynamic-code", 11],
      ["shell-command", 12],
      ["unchecked-certificate", 13],
      ["unsafe-loading", 14],
    ]);
  });

  it("leave out compliance where nothing says what kind of node it should be", () => {
    const facts = python("def add(a: int, b: int) -> int:\n    return a + b\n");
    const answer = analysisOf(facts, "tools/add.py");
    expect(answer.onex_compliance).toBeUndefined();
    expect(answer).toMatchObject({
      issues_count: 0,
      complexity_score: 0,
      results_summary: { total_lines: 2, cyclomatic_complexity: 1, anti_patterns: 0, security_issues: 0 },
    });
  });

  it("are best for a complete node", () => {
    const answer = analysisOf(parseFile(example(EFFECT), "python"), EFFECT);
    expect(answer.onex_compliance).toBe(1);
    expect(answer.quality_score).toBeGreaterThan(0.7);
    expect(answer.recommendations).toEqual([]);
  });
});

describe("a secret in the code", () => {
  it("leaves the host with no snippet", () => {
    const text = 'class A:\n    api_key = "swordfish-1234"\n    other = "shown"\n';
    const { code_snippet } = patternOf(python(text), "a.py", text, 0);
    expect(code_snippet).not.toContain("swordfish");
    expect(code_snippet).toContain("shown");
  });
});

describe("TypeScript", () => {
  it("is read alike", () => {
    const text = `/** Stores users. */
import { Pool } from "pg";
/** Writes users. */
export class UserStore extends NodeEffect implements Store {
  /** Stores one. */
  async execute(user: User): Promise<Id> {
    try {
      return user.name && user.mail ? await this.pool.transaction(user) : none;
    } catch (error) {
      if (error instanceof Duplicate) throw new DuplicateUser(user);
      throw error;
    } finally { this.done(); }
  }
}
export const run = async (store: UserStore) => { await store.execute(eval("x")); };
`;
    const facts = parseFile(text, "typescript", "store.ts");
    expect(facts).toMatchObject({
      documentation: "Stores users.",
      imports: ["pg"],
      errorHandling: { tries: 1, caught: ["Duplicate"], raises: 2, finally: 1 },
      transactions: ["transaction"],
      functions: [{ name: "run", async: true, signature: "run(store: UserStore)" }],
    });
    expect(facts.classes).toMatchObject([
      {
        name: "UserStore",
        bases: ["NodeEffect", "Store"],
        documentation: "Writes users.",
        methods: [
          {
            name: "execute",
            signature: "execute(user: User): Promise<Id>",
            async: true,
            documented: true,
            cyclomatic: 5,
          },
        ],
      },
    ]);
    expect(facts.issues.map(({ rule }) => rule)).toEqual(["dynamic-code"]);
  });
});
