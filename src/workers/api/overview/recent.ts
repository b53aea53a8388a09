import { ExpiringMap } from "../../../core/collections/expiring-map.ts";
import type { Overview } from "../../../core/overview/api.ts";
import { hex, sha256 } from "../../../durable-objects/shell/digest.ts";

/** An overview is given again for so long: many viewers of an ecosystem cost its objects as much as one. */
const KEEP_MS = 2_000;
/** Ecosystems of which an isolate remembers the overview, which may take a megabyte. */
const KEEP = 16;

/** An overview with the tag by which a reader asks whether it has changed. */
export interface TaggedOverview {
  readonly overview: Overview;
  readonly etag: string;
}

/** Plain values alone: what a request waits for cannot be shared with another. */
const recent = new ExpiringMap<TaggedOverview>(KEEP, KEEP_MS);

export const recentOverview = (ecosystem: string, nowMs: number): TaggedOverview | undefined =>
  recent.get(ecosystem, nowMs);

export async function remember(ecosystem: string, overview: Overview, nowMs: number): Promise<TaggedOverview> {
  const { at: _, ...content } = overview;
  const digest = hex((await sha256(JSON.stringify(content))).slice(0, 12));
  // Weak: the time of the look is left out, so that an ecosystem in which nothing happens has the same tag.
  const tagged = { overview, etag: `W/"${digest}"` };
  recent.set(ecosystem, tagged, nowMs);
  return tagged;
}
