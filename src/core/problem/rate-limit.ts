import type { Problem } from "./problem.ts";

/** What is left of a quota, as the headers `RateLimit-Policy` and `RateLimit` tell it. */
export interface RateLimit {
  /** Stable, as a problem or a setting names the quota. */
  readonly name: string;
  readonly quota?: number;
  /** What is counted; absent: requests. A client that does not know the unit ignores the policy. */
  readonly unit?: string;
  /** In which time the quota counts, in seconds; absent: it is about what there is at a time. */
  readonly windowS?: number;
  readonly left: number;
  /** When there is more again, in seconds; absent: not by itself. */
  readonly resetS?: number;
}

/**
 * The two headers, as structured fields.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10
 */
export function rateLimitHeaders({ name, quota, unit, windowS, left, resetS }: RateLimit): Record<string, string> {
  const parameter = (key: string, value: number | undefined) => (value === undefined ? "" : `;${key}=${value}`);
  const named = `"${name}"`;
  const policy = `${named};q=${quota}${unit === undefined ? "" : `;qu="${unit}"`}${parameter("w", windowS)}`;
  return {
    ...(quota === undefined ? {} : { "RateLimit-Policy": policy }),
    RateLimit: `${named};r=${left}${parameter("t", resetS)}`,
  };
}

const DAY_S = 86_400;

/** Of what a sender adds to a log in a day. Facts are counted, which are nearly all of a request's content. */
export function dailyBytesLeft(megabytes: number, bytesLeft: number, resetS: number): RateLimit {
  const quota = megabytes * 1_000_000;
  return { name: "log_bytes", quota, unit: "content-bytes", windowS: DAY_S, left: Math.max(0, bytesLeft), resetS };
}

/** What a refusal says of a quota. @returns `undefined`: it is about none */
export function rateLimitOf({ type, status, ...more }: Problem): RateLimit | undefined {
  if (status !== 429) return undefined;
  const { quota, limit, capacity, retry_after_ms } = more;
  const resetS = typeof retry_after_ms === "number" ? Math.max(1, Math.ceil(retry_after_ms / 1_000)) : undefined;
  if (quota === "log_megabytes" && typeof limit === "number") return dailyBytesLeft(limit, 0, resetS ?? DAY_S);
  const most = [limit, capacity].find((value) => typeof value === "number");
  const name = typeof quota === "string" ? quota : type.slice(type.lastIndexOf("/") + 1);
  const unit = typeof quota === "string" ? quota : typeof capacity === "number" ? "tasks" : undefined;
  return {
    name,
    ...(most === undefined ? {} : { quota: most }),
    ...(unit === undefined ? {} : { unit }),
    left: 0,
    ...(resetS === undefined ? {} : { resetS }),
  };
}
