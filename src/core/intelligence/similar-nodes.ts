import * as z from "zod";
import { wordsOf } from "./domains.ts";
import { stemOf } from "./node-types.ts";

export const SimilarNode = z.object({
  path: z.string(),
  similarity: z.number().min(0).max(1),
  confidence: z.number().min(0).max(1).nullable(),
  source: z.enum(["event_based_discovery", "filesystem"]),
  host: z.string().nullable(),
});
export type SimilarNode = z.output<typeof SimilarNode>;

/** A file that may be similar. */
export interface Candidate {
  readonly path: string;
  /** `null`: nobody has looked into the file. */
  readonly confidence: number | null;
  readonly source: SimilarNode["source"];
  readonly host: string | null;
}

const IN_STEM = 1;
const SHARED_WORDS = 0.5;
const IN_PATH = 0.3;
const GOOD_PLACE = 1.2;

/** How similar a file is to a domain by its path, from 0 to 1. */
export function similarityOf(domain: string, path: string): number {
  const wanted = wordsOf(domain);
  if (wanted.length === 0) return 0;
  const name = wanted.join("_");
  const stem = wordsOf(stemOf(path));
  const lower = path.toLowerCase();
  const inStem = stem.join("_").includes(name) ? IN_STEM : 0;
  const words = new Set(stem);
  const shared = wanted.filter((word) => words.has(word)).length / wanted.length;
  const inPath = wordsOf(path).join("_").includes(name) ? IN_PATH : 0;
  const factor = /best|example/.test(lower) ? GOOD_PLACE : 1;
  return Math.min(1, (inStem + SHARED_WORDS * shared + inPath) * factor);
}

/**
 * Ranks all candidates and then cuts the list: a cut that came first would rank what chance had left. Ties by confidence,
 * then by path. A path is there once, as its best candidate.
 */
export function rankSimilar(domain: string, candidates: readonly Candidate[], limit: number): SimilarNode[] {
  const ranked = candidates
    .map((candidate): SimilarNode => ({ ...candidate, similarity: similarityOf(domain, candidate.path) }))
    .toSorted(
      (a, b) =>
        b.similarity - a.similarity ||
        (b.confidence ?? 0) - (a.confidence ?? 0) ||
        (a.path < b.path ? -1 : a.path > b.path ? 1 : 0),
    );
  const byPath = new Map<string, SimilarNode>();
  for (const node of ranked) if (!byPath.has(node.path)) byPath.set(node.path, node);
  return [...byPath.values()].slice(0, limit);
}
