import { parseSync, Visitor } from "oxc-parser";
import type { Plugin } from "vite";

/** Files of Zod that only make JSON schemas of schemas. */
const JSON_SCHEMA_FILES = /\/zod\/v4\/core\/(to-json-schema|json-schema-processors)\.js$/;
const CONFIG_FILE = "zod/v4/core/core.js";
/** What documents of the API say of a schema, and what says it. */
const DESCRIBING = new Set(["meta", "describe"]);

/**
 * Schemas as a page of the dashboard needs them: they check what the edge answers, without code that is made at run time, which
 * the page's policy refuses, and without the texts and the code from which documents of the API are made.
 */
export function browserSchemas(): Plugin {
  return {
    name: "browser-schemas",
    enforce: "pre",
    transform(code, id) {
      if (JSON_SCHEMA_FILES.test(id)) return { code: withoutBodies(code), map: null };
      if (id.endsWith(CONFIG_FILE)) return { code: `${code}\nglobalConfig.jitless = true;\n`, map: null };
      if (/\/src\/core\/.*\.ts$/.test(id)) return { code: withoutDescriptions(id, code), map: null };
      return undefined;
    },
  };
}

/** A module that exports the same names, and none of their work. */
function withoutBodies(code: string): string {
  const names = [...code.matchAll(/^export (?:const|function) (\w+)/gm)].map(([, name]) => `none as ${name}`);
  return `const none = () => () => { throw new Error("a page makes no JSON schemas"); };\nexport { ${names.join(", ")} };`;
}

/** The same code without calls of `.meta(…)` and `.describe(…)`: these add nothing to what a schema lets through. */
export function withoutDescriptions(file: string, code: string): string {
  const { program } = parseSync(file, code);
  const cuts: { start: number; end: number }[] = [];
  new Visitor({
    CallExpression({ callee, arguments: given, end }) {
      if (callee.type !== "MemberExpression" || callee.property.type !== "Identifier" || given.length !== 1) return;
      if (DESCRIBING.has(callee.property.name)) cuts.push({ start: callee.object.end, end });
    },
  }).visit(program);
  let [text, from] = ["", 0];
  for (const { start, end } of cuts.sort((a, b) => a.start - b.start)) {
    // A description may hold schemas with descriptions of their own.
    if (start < from) continue;
    text += code.slice(from, start);
    from = end;
  }
  return text + code.slice(from);
}
