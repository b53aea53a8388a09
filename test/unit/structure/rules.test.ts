import { describe, expect, it } from "vitest";
import {
  coreIsPure,
  filesAreShort,
  importsGoDown,
  literalsAreNotSpread,
  logsAreLines,
  noCircleOfFiles,
  noCircleOfFolders,
  nothingIsCast,
  objectsAreFoundInOnePlace,
  objectsAreThin,
  zodIsANamespace,
} from "./rules.ts";
import { readSource } from "./source-file.ts";

/** Sources that exist in this test alone, by their paths. */
function sources(texts: Readonly<Record<string, string>>) {
  return Object.entries(texts).map(([path, text]) => readSource(path, text));
}

function keys(violations: readonly { readonly key: string }[]): string[] {
  return violations.map(({ key }) => key);
}

describe("the rule that imports go down", () => {
  it.each([
    ["the core and an object", "src/core/queue/a.ts", "../../durable-objects/queue/object.ts"],
    ["an object and the Worker", "src/durable-objects/queue/a.ts", "../../workers/app.ts"],
    ["the Worker and the client", "src/workers/app.ts", "../client/client.ts"],
    ["the client and the Worker", "src/client/a.ts", "../workers/app.ts"],
    ["the command line and the agent's insides", "cli/a.ts", "../local-agent/store/spool.ts"],
    ["the agent and the command line", "local-agent/app/a.ts", "../../cli/main.ts"],
    ["the base of the agent and a feature", "local-agent/base/a.ts", "../link/link.ts"],
    ["the store of the agent and its settings' user", "local-agent/store/a.ts", "../bus/feature.ts"],
    ["a feature and the agent as a whole", "local-agent/bus/a.ts", "../app/agent.ts"],
    ["the local edge and the Worker's sources", "local-edge/a.ts", "../src/core/queue/task.ts"],
    ["signals and a concept above them", "src/core/signals/a.ts", "../policy/rule.ts"],
    ["two concepts that are no neighbours", "src/core/queue/a.ts", "../policy/rule.ts"],
    ["a concept and lineage", "src/core/policy/a.ts", "../lineage/lineage.ts"],
    ["the sources and a test", "src/core/queue/a.ts", "../../../test/unit/queue/model.ts"],
  ])("refuses an import between %s", (_, path, target) => {
    expect(importsGoDown(sources({ [path]: `import { x } from "${target}";` }))).toHaveLength(1);
  });

  it.each([
    ["an object and the core", "src/durable-objects/queue/a.ts", "../../core/queue/task.ts"],
    ["the Worker and an object", "src/workers/index.ts", "../durable-objects/queue/object.ts"],
    ["the command line and the agent's socket", "cli/a.ts", "../local-agent/commands/ask-agent.ts"],
    ["a feature of the agent and its base", "local-agent/bus/a.ts", "../base/log.ts"],
    ["a concept and what all stand on", "src/core/queue/a.ts", "../signals/signal.ts"],
    ["neighbours", "src/core/policy/a.ts", "../models/question.ts"],
    ["lineage and policy", "src/core/lineage/a.ts", "../policy/decision.ts"],
    ["a test and anything", "test/unit/a.test.ts", "../../src/workers/app.ts"],
  ])("lets an import between %s pass", (_, path, target) => {
    expect(importsGoDown(sources({ [path]: `import { x } from "${target}";` }))).toEqual([]);
  });

  it.each([
    ["a type", 'import type { X } from "../workers/app.ts";'],
    ["a type within an import", 'import { type X } from "../workers/app.ts";'],
    ["nothing but effects", 'import "../workers/app.ts";'],
    ["what is exported again", 'export { x } from "../workers/app.ts";'],
    ["everything that is exported again", 'export * from "../workers/app.ts";'],
    ["a module while it runs", 'const app = await import("../workers/app.ts");'],
    ["a type in place", 'type X = import("../workers/app.ts").X;'],
  ])("sees an import of %s", (_, text) => {
    expect(keys(importsGoDown(sources({ "src/client/a.ts": text })))).toEqual([
      "upward: src/client/a.ts imports src/workers/app.ts",
    ]);
  });

  it("takes what stands in comments and strings for no import", () => {
    const text = `// import { x } from "../workers/app.ts";\nexport const text = 'import "../workers/app.ts"';\n`;
    expect(importsGoDown(sources({ "src/client/a.ts": text }))).toEqual([]);
  });
});

describe("the rule against circles of files", () => {
  it("names each file of a circle that types alone make, with the way round", () => {
    const found = noCircleOfFiles(
      sources({
        "src/core/queue/a.ts": 'import type { B } from "./b.ts";',
        "src/core/queue/b.ts": 'import type { C } from "./c.ts";',
        "src/core/queue/c.ts": 'export type { A } from "./a.ts";',
        "src/core/queue/d.ts": 'import { a } from "./a.ts";',
      }),
    );
    expect(keys(found)).toEqual([
      "circle of files: src/core/queue/a.ts",
      "circle of files: src/core/queue/b.ts",
      "circle of files: src/core/queue/c.ts",
    ]);
    expect(found[0]?.message).toContain(
      "src/core/queue/a.ts → src/core/queue/b.ts → src/core/queue/c.ts → src/core/queue/a.ts",
    );
  });
});

describe("the rule against circles of folders", () => {
  it("names both folders where no file is in a circle", () => {
    const found = noCircleOfFolders(
      sources({
        "local-agent/bus/a.ts": 'import { b } from "../link/b.ts";',
        "local-agent/bus/c.ts": "export const c = 1;",
        "local-agent/link/b.ts": "export const b = 1;",
        "local-agent/link/d.ts": 'import { c } from "../bus/c.ts";',
      }),
    );
    expect(keys(found)).toEqual(["circle of folders: local-agent/bus", "circle of folders: local-agent/link"]);
  });
});

describe("the rules about length", () => {
  it("let a file of 300 lines pass and refuse one of 301", () => {
    const [short, long] = ["\n".repeat(300), "\n".repeat(301)];
    expect(keys(filesAreShort(sources({ "cli/short.ts": short, "cli/long.ts": long, "bench/long.ts": long })))).toEqual(
      ["long file: cli/long.ts"],
    );
  });

  it("let an object's class of 250 lines pass and refuse one of 251", () => {
    const classOf = (lines: number) => `export class Thing {${"\n".repeat(lines - 1)}}\n`;
    expect(
      keys(
        objectsAreThin(
          sources({
            "src/durable-objects/a/object.ts": classOf(250),
            "src/durable-objects/b/object.ts": classOf(251),
            "src/durable-objects/b/store.ts": classOf(251),
          }),
        ),
      ),
    ).toEqual(["long class: Thing in src/durable-objects/b/object.ts"]);
  });
});

describe("the rule against casts", () => {
  it.each([
    "const x = JSON.parse(text) as Signal;",
    "const x = (JSON.parse(text)) as Signal;",
    "const x: Signal = JSON.parse(text);",
    "const x = y as unknown as Signal;",
    "const x = (y as unknown) as Signal;",
  ])("refuses %s", (text) => {
    expect(nothingIsCast(sources({ "src/core/queue/a.ts": text }))).toHaveLength(1);
  });

  it.each([
    "const x = JSON.parse(text) as unknown;",
    "const x: unknown = JSON.parse(text);",
    "const x = Signal.parse(JSON.parse(text));",
    "const x = y as Signal;",
    "const x = 1; // JSON.parse(text) as Signal",
  ])("lets pass %s", (text) => {
    expect(nothingIsCast(sources({ "src/core/queue/a.ts": text }))).toEqual([]);
  });
});

describe("the rule against spread literals", () => {
  it.each([
    "const x = { ...{ a: 1 }, b };",
    "const x = { ...({ a: 1 }) };",
    "const x = { ...({ a: 1 } as const) };",
    "const x = { ...({ a: 1 } satisfies A) };",
  ])("refuses %s", (text) => {
    expect(literalsAreNotSpread(sources({ "test/unit/a.test.ts": text }))).toHaveLength(1);
  });

  it.each(["const x = { ...a, b };", "const x = { ...(a === undefined ? {} : { a }) };", "const x = [...a];"])(
    "lets pass %s",
    (text) => {
      expect(literalsAreNotSpread(sources({ "test/unit/a.test.ts": text }))).toEqual([]);
    },
  );
});

describe("the rule that the core is pure", () => {
  it.each([
    "const x = Date.now();",
    "const x = new Date();",
    "const x = Math.random();",
    "const x = performance.now();",
    "const x = crypto.randomUUID();",
    'const x = await fetch("http://localhost");',
    "setTimeout(f, 1);",
    "const x = process.env.HOME;",
    'import { readFileSync } from "node:fs";',
    'import { env } from "cloudflare:workers";',
  ])("refuses %s", (text) => {
    expect(coreIsPure(sources({ "src/core/queue/a.ts": text }))).toHaveLength(1);
    expect(coreIsPure(sources({ "src/workers/a.ts": text }))).toEqual([]);
  });

  it("lets a date be made of a given time", () => {
    expect(coreIsPure(sources({ "src/core/queue/a.ts": "const x = new Date(nowMs);" }))).toEqual([]);
  });
});

describe("the rule about zod", () => {
  it("wants the namespace and refuses the name", () => {
    const good = 'import * as z from "zod";';
    const bad = 'import { z } from "zod";';
    expect(keys(zodIsANamespace(sources({ "src/core/a/good.ts": good, "src/core/a/bad.ts": bad })))).toEqual([
      "zod: src/core/a/bad.ts",
    ]);
  });
});

describe("the rule that objects are found in one place", () => {
  it.each([
    "env.QUEUE.get(env.QUEUE.idFromName(name))",
    "env.QUEUE.getByName(name)",
    'env.QUEUE["newUniqueId"]()',
    "const { QUEUE } = env; QUEUE.idFromString(text)",
  ])("refuses %s", (text) => {
    expect(keys(objectsAreFoundInOnePlace(sources({ "src/workers/a.ts": text })))).toHaveLength(1);
  });

  it("lets the helper itself and tests find objects", () => {
    const text = "namespace.idFromName(name)";
    const files = sources({ "src/durable-objects/shell/ports.ts": text, "test/workers/a.ts": text });
    expect(objectsAreFoundInOnePlace(files)).toEqual([]);
  });
});

describe("the rule that the edge logs lines of JSON", () => {
  it.each([
    'console.warn("x");',
    'console["error"]("x");',
    'globalThis.console.log("x");',
    "promise.catch(console.error);",
    "const { warn } = console;",
  ])("refuses %s", (text) => {
    expect(keys(logsAreLines(sources({ "src/durable-objects/queue/a.ts": text })))).toHaveLength(1);
  });

  it("lets the helper itself, other programs and comments speak of the console", () => {
    const files = sources({
      "src/durable-objects/shell/log-line.ts": 'console.warn("x");',
      "scripts/a.ts": 'console.log("x");',
      "src/workers/a.ts": "// console.log is for no one",
    });
    expect(logsAreLines(files)).toEqual([]);
  });
});
