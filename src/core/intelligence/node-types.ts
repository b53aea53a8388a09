/** The four kinds of nodes. */
export const NODE_TYPES = ["EFFECT", "COMPUTE", "REDUCER", "ORCHESTRATOR"] as const;
export type NodeType = (typeof NODE_TYPES)[number];

/** Reads a kind in any case. @returns `undefined` for any other word */
export function readNodeType(text: string): NodeType | undefined {
  const upper = text.trim().toUpperCase();
  return NODE_TYPES.find((type) => type === upper);
}

/** What a file's name says about it: `node_user_store_effect.py` is an effect of the domain `user_store`. */
export interface NodeName {
  readonly type: NodeType | undefined;
  /** `undefined` where the name has neither `node_` nor a kind. */
  readonly domain: string | undefined;
}

/** @param file - name of a file, without directories */
export function nodeNameOf(file: string): NodeName {
  const stem = stemOf(file);
  const type = NODE_TYPES.find((each) => stem.endsWith(`_${each.toLowerCase()}`));
  const withoutKind = type === undefined ? stem : stem.slice(0, -(type.length + 1));
  const domain = withoutKind.replace(/^node_/, "");
  const isNode = type !== undefined || stem.startsWith("node_");
  return { type, domain: isNode && domain !== "" && domain !== "node" ? domain : undefined };
}

/** The pattern of the files of a kind. The kind is in lower case, as it is in the names of files. */
export const filePatternOf = (type: NodeType): string => `node_*_${type.toLowerCase()}.py`;

/** A file's name without directories and without its last extension, in lower case. */
export function stemOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(0, dot) : name;
}
