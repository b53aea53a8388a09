import { type Document, isMap, isScalar, isSeq, parseDocument, type YAMLSeq } from "yaml";

export interface ModuleEntry {
  readonly name: string;
  /** As it stands in the file: relative to the root of the modules, with slashes. */
  readonly path: string;
}

export type CapabilitiesChange =
  | { readonly kind: "changed"; readonly text: string }
  | { readonly kind: "listed" }
  | { readonly kind: "unusable"; readonly reason: string };

/**
 * Adds a module to the list at `key` of a YAML file, at its end, in the form that the list has: names, maps with a
 * `name`, or a map from names. Comments, order and all other lines stay as they are.
 *
 * @param text - the file; an empty one gets the list
 * @param key - where the list stands, such as `["modules"]`
 */
export function addModule(text: string, key: readonly string[], entry: ModuleEntry): CapabilitiesChange {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) return { kind: "unusable", reason: `it is no valid YAML: ${error.message.split("\n")[0]}` };
  const root = document.contents;
  if (root !== null && !isMap(root) && !(isScalar(root) && root.value === null))
    return { kind: "unusable", reason: "it holds no map at its top" };
  const list = root === null || isScalar(root) ? undefined : document.getIn(key, true);
  if (isListed(list, entry.name)) return { kind: "listed" };
  if (isSeq(list)) list.add(document.createNode(itemFor(list, entry)));
  else if (isMap(list)) list.set(document.createNode(entry.name), document.createNode({ path: entry.path }));
  else if (list === undefined || list === null || (isScalar(list) && list.value === null))
    document.setIn(key, document.createNode([{ ...entry }]));
  else return { kind: "unusable", reason: `${key.join(".")} is neither a list nor a map` };
  return { kind: "changed", text: write(document, text) };
}

function isListed(list: unknown, name: string): boolean {
  if (isMap(list)) return list.has(name);
  if (!isSeq(list)) return false;
  return list.items.some((item) => (isMap(item) ? item.get("name") === name : isScalar(item) && item.value === name));
}

function itemFor(list: YAMLSeq, entry: ModuleEntry): unknown {
  return list.items.length > 0 && list.items.every((item) => isScalar(item)) ? entry.name : { ...entry };
}

/** In the style of the file, so that a change of one entry is a change of one place. */
function write(document: Document, before: string): string {
  const indent = /^( +)(?![ #-])\S/m.exec(before)?.[1]?.length ?? /^( +)- /m.exec(before)?.[1]?.length ?? 2;
  return document.toString({
    lineWidth: 0,
    indent: Math.min(8, Math.max(2, indent)),
    // A list whose dashes stand right below their key.
    indentSeq: !/^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*\1- /m.test(before),
    flowCollectionPadding: /\{ /.test(before) || !/\{\S/.test(before),
  });
}
