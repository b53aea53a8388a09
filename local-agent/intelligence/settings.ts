import * as z from "zod";
import { LANGUAGES } from "../../src/core/intelligence/file-facts.ts";
import type { IntelligenceSettings } from "../../src/core/intelligence/settings.ts";
import { QUEUE_NAME, QUEUE_RULE } from "../../src/core/queue/task-input.ts";
import { limitedNumber, PathSetting } from "../base/setting-schemas.ts";
import type { HostSettings } from "../feature/feature.ts";

/** Directories that hold no source of the tree itself. */
const IGNORED = [
  ".git",
  ".hg",
  ".svn",
  ".mypy_cache",
  ".pytest_cache",
  ".ruff_cache",
  ".tox",
  ".venv",
  "__pycache__",
  "build",
  "dist",
  "node_modules",
  "site-packages",
  "venv",
];

const Name = z.string().regex(/^[^/\0]+$/, "give the name of a file or directory, without a path");

/** Read by name and checked together with the variables. */
const Anything = z.unknown().optional();

/** The section `intelligence`: which code this host answers about. Keys of those who ask are read by name, see docs/intelligence.md. */
export const IntelligenceSection = z.strictObject({
  roots: z.array(PathSetting).max(64, "give 64 directories at most").default([]),
  languages: z
    .array(z.enum(LANGUAGES, `give some of ${LANGUAGES.join(", ")}`))
    .min(1, "give at least one language")
    .default([...LANGUAGES]),
  ignore: z.array(Name).max(1_000).default([]),
  max_files: limitedNumber(1, 1_000_000, "give a number of files, 1 at least").default(50_000),
  queue: z.string().regex(QUEUE_NAME, QUEUE_RULE).default("intelligence"),
  enabled: Anything,
  live: Anything,
  environment: Anything,
  request_timeout_ms: Anything,
  discovery_timeout_ms: Anything,
  analysis_timeout_ms: Anything,
  topic_request: Anything,
  topic_completed: Anything,
  topic_failed: Anything,
  filesystem_fallback: Anything,
  paths: Anything,
  retrieval: Anything,
  retrieval_url: Anything,
  correlation_tracking: Anything,
  metrics: Anything,
  share: Anything,
  prefer_live: Anything,
  library: Anything,
});
export type IntelligenceSection = z.output<typeof IntelligenceSection>;

export const ignoredNames = ({ ignore }: IntelligenceSection): string[] => [...IGNORED, ...ignore];

export interface IntelligenceFeatureOptions extends HostSettings {
  readonly intelligence?: IntelligenceSection | undefined;
  /** What the section and the variables say together. */
  readonly asking?: IntelligenceSettings | undefined;
}
