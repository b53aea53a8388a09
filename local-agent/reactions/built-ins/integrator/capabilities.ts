import { isMap, isScalar, isSeq, parseDocument, type YAMLSeq } from "yaml";

export interface ModuleEntry {
  readonly name: string;
  /** Relative to the root of the modules, with slashes. */
  readonly path: string;
}

export type CapabilitiesChange =
  | { readonly kind: "changed"; readonly text: string }
  | { readonly kind: "listed" }
  | { readonly kind: "unusable"; readonly reason: string };

/**
 * Adds a module at the end of the list at `key` of a YAML file, in the form that the list has: names, maps with a
 * `name`, or a map from names. Comments, order and all other lines stay as they are.
 *
 * @param text - the file; an empty one gets the list
 * @param key - path of the list, such as `["modules"]`
 */
export function addModule(text: string, key: readonly string[], entry: ModuleEntry): CapabilitiesChange {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) return { kind: "unusable", reason: `the file is not YAML: ${error.message.split("\n")[0]}` };
  const root = document.contents;
  if (root !== null && !isMap(root) && !(isScalar(root) && root.value === null))
    return { kind: "unusable", reason: "the top of the file is not a map" };
  const untouched = document.toString({ lineWidth: 0 });
  const list = root === null || isScalar(root) ? undefined : document.getIn(key, true);
  if (isListed(list, entry.name)) return { kind: "listed" };
  if (isSeq(list)) list.add(document.createNode(itemFor(list, entry)));
  else if (isMap(list)) list.set(document.createNode(entry.name), document.createNode({ path: entry.path }));
  else if (list === undefined || list === null || (isScalar(list) && list.value === null))
    document.setIn(key, document.createNode([{ ...entry }]));
  else return { kind: "unusable", reason: `${key.join(".")} is neither a list nor a map` };
  const changed = document.toString({ lineWidth: 0 });
  const patched = patch(text, untouched, changed);
  const reread = parseDocument(patched);
  // A layout that the patch does not handle gets the library's form, which is correct but reformats the file.
  const correct = reread.errors.length === 0 && isListed(reread.getIn(key, true), entry.name);
  return { kind: "changed", text: correct ? patched : changed };
}

/**
 * Applies the change from `untouched` to `changed` to the file as people wrote it: the library has one way to indent a
 * list, and puts one blank before a comment, which would undo the alignment of comments.
 */
function patch(text: string, untouched: string, changed: string): string {
  const own = text.split("\n");
  const before = untouched.split("\n");
  const after = changed.split("\n");
  // The library folded or joined lines: its form is used.
  if (own.length !== before.length) return changed;
  let same = 0;
  while (same < before.length && before[same] === after[same]) same++;
  let tail = 0;
  while (tail < Math.min(before.length, after.length) - same && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const added = after.slice(same, after.length - tail);
  // The new lines get the indentation that the neighbour of the same depth has in the file.
  const neighbour = before.findLastIndex((line, at) => at < same && depthOf(line) === depthOf(added[0] ?? ""));
  const shift = neighbour < 0 ? 0 : depthOf(own[neighbour] ?? "") - depthOf(before[neighbour] ?? "");
  const moved = added.map((line) => (shift < 0 ? line.slice(-shift) : `${" ".repeat(line === "" ? 0 : shift)}${line}`));
  own.splice(same, before.length - same - tail, ...moved);
  return own.join("\n");
}

/** Blanks at the start of the line. */
function depthOf(line: string): number {
  return line.length - line.trimStart().length;
}

function isListed(list: unknown, name: string): boolean {
  if (isMap(list)) return list.has(name);
  if (!isSeq(list)) return false;
  return list.items.some((item) => (isMap(item) ? item.get("name") === name : isScalar(item) && item.value === name));
}

function itemFor(list: YAMLSeq, entry: ModuleEntry): unknown {
  return list.items.length > 0 && list.items.every((item) => isScalar(item)) ? entry.name : { ...entry };
}
