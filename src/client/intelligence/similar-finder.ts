import { type Dirent, readdirSync } from "node:fs";
import { join } from "node:path";
import type { FallbackReason } from "../../core/intelligence/context.ts";
import { matchesName } from "../../core/intelligence/name-pattern.ts";
import type { NodeType } from "../../core/intelligence/node-types.ts";
import { filePatternOf } from "../../core/intelligence/node-types.ts";
import { type Candidate, rankSimilar, type SimilarNode } from "../../core/intelligence/similar-nodes.ts";
import { fallbackReasonOf } from "./errors.ts";
import type { IntelligenceClient } from "./intelligence-client.ts";

export interface FinderOptions {
  readonly client?: Pick<IntelligenceClient, "discover"> | undefined;
  readonly timeoutMs?: number | undefined;
  /** Directories that are searched where no host answers; empty: none is. */
  readonly paths: readonly string[];
  readonly onFallback?: (reason: FallbackReason | "nothing_found", message: string) => void;
}

/** Most candidates of live hosts, and most files that are looked at below the paths. */
const LIVE_CANDIDATES = 500;
const MAX_FILES = 100_000;
const IGNORED = new Set([".git", "node_modules", "__pycache__", ".venv", "venv", "site-packages"]);

/** Finds nodes that are similar by their domain: with live hosts first, then below the paths of the settings. */
export async function findSimilar(
  type: NodeType,
  domain: string,
  limit: number,
  options: FinderOptions,
): Promise<SimilarNode[]> {
  const live = await liveCandidates(type, options);
  if (live.length > 0) return rankSimilar(domain, live, limit);
  return rankSimilar(
    domain,
    options.paths.flatMap((path) => [...filesBelow(path, filePatternOf(type))]),
    limit,
  );
}

async function liveCandidates(type: NodeType, { client, timeoutMs, onFallback }: FinderOptions): Promise<Candidate[]> {
  if (client === undefined) return [];
  try {
    const options = { limit: LIVE_CANDIDATES, all_hosts: true, quality_threshold: 0 };
    const { patterns } = await client.discover(filePatternOf(type), "python", { timeoutMs, options });
    if (patterns.length === 0) onFallback?.("nothing_found", "no host has such a file");
    return patterns.map(({ file_path: path, confidence, host }) => ({
      path,
      confidence,
      source: "event_based_discovery",
      host: host ?? null,
    }));
  } catch (error) {
    onFallback?.(fallbackReasonOf(error), (error as Error).message);
    return [];
  }
}

/** Links are not followed, and what cannot be read is left out: this is a second best. */
function* filesBelow(root: string, pattern: string): Generator<Candidate, void, void> {
  const directories = [root];
  let seen = 0;
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    for (const entry of entriesOf(directory)) {
      seen += 1;
      if (seen > MAX_FILES) return;
      const path = join(directory, entry.name);
      if (entry.isDirectory() && !IGNORED.has(entry.name)) directories.push(path);
      else if (entry.isFile() && matchesName(pattern, entry.name))
        yield { path, confidence: null, source: "filesystem", host: null };
    }
  }
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EACCES" || code === "ENOTDIR") return [];
    throw error;
  }
}
