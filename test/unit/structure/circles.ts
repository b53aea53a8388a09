import type { SourceFile } from "./source-file.ts";

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** @returns which of the files each file imports */
export function fileGraph(files: readonly SourceFile[]): Graph {
  const known = new Set(files.map(({ path }) => path));
  return new Map(
    files.map(({ path, imports }) => [
      path,
      new Set(imports.flatMap(({ target }) => (target && known.has(target) ? [target] : []))),
    ]),
  );
}

/** @returns which folders the files of each folder import, itself left out */
export function folderGraph(files: readonly SourceFile[]): Graph {
  const folders = new Map<string, Set<string>>();
  for (const [path, targets] of fileGraph(files)) {
    const folder = folderOf(path);
    const imported = folders.get(folder) ?? new Set();
    folders.set(folder, imported);
    for (const target of targets) if (folderOf(target) !== folder) imported.add(folderOf(target));
  }
  return folders;
}

/** Depth of the folders that are compared: a concept of a floor, a feature of the agent, or a whole top folder. */
const FOLDER_DEPTHS = [
  ["src/workers/api/", 4],
  ["src/", 3],
  ["local-agent/", 2],
  ["dashboard/", 2],
  ["", 1],
] as const;

/** `src/core/queue/task.ts` lies in `src/core/queue`; `src/workers/app.ts` in `src/workers`. */
export function folderOf(path: string): string {
  const folders = path.split("/").slice(0, -1);
  const [, depth] = FOLDER_DEPTHS.find(([prefix]) => path.startsWith(prefix)) ?? FOLDER_DEPTHS[4];
  return folders.slice(0, depth).join("/");
}

/** @returns for each node that can reach itself a shortest way round, which begins and ends with the node */
export function circles(graph: Graph): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const start of graph.keys()) {
    const way = shortestCircle(graph, start);
    if (way !== undefined) found.set(start, way);
  }
  return found;
}

function shortestCircle(graph: Graph, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    for (const next of graph.get(node) ?? []) {
      if (next === start) return [...wayTo(node, start, cameFrom), start];
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  }
  return undefined;
}

function wayTo(node: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way = [node];
  for (let at = node; at !== start; ) {
    at = cameFrom.get(at) ?? start;
    way.unshift(at);
  }
  return way;
}
