import { parseSync, Visitor } from "oxc-parser";
import type { Plugin } from "vite";

/** Modules with calls, whose first argument is the schema of the answer. */
const CALLING = /\/(?:src\/client|dashboard)\/.*\.tsx?$/;
const CALLS = new Set(["call", "callEdge"]);
/** Modules that do nothing but export: one of which nothing is used is left out. */
const EXPORTING = /\/src\/(?:client|core)\/.*\.ts$/;

/**
 * Calls as a page of the dashboard makes them: without the schemas of their answers. These would be half of the page's code,
 * and would check what the page's own edge answers to it. The types of answers stay those of the schemas.
 */
export function trustedAnswers(): Plugin {
  return {
    name: "trusted-answers",
    enforce: "pre",
    transform(code, id) {
      return {
        code: CALLING.test(id) ? withoutSchemas(id, code) : code,
        map: null,
        ...(EXPORTING.test(id) && { moduleSideEffects: false }),
      };
    },
  };
}

/** The same code with `undefined` in place of the schemas that calls name. */
export function withoutSchemas(file: string, code: string): string {
  const cuts: { start: number; end: number }[] = [];
  new Visitor({
    CallExpression({ callee, arguments: [schema] }) {
      if (callee.type === "Identifier" && CALLS.has(callee.name) && schema !== undefined) cuts.push(schema);
    },
  }).visit(parseSync(file, code).program);
  let [text, from] = ["", 0];
  for (const { start, end } of cuts.sort((a, b) => a.start - b.start)) {
    text += `${code.slice(from, start)}undefined`;
    from = end;
  }
  return text + code.slice(from);
}
