import type { Context } from "hono";
import { rateLimitHeaders } from "../../../core/problem/rate-limit.ts";
import type { Appended, AppendResult } from "../../../core/signals/api.ts";
import type { ApiEnv } from "./api-env.ts";

/** Tells a sender in headers what it may add today, and leaves that out of the body. */
export function tellShare(c: Context<ApiEnv>, { share, ...result }: Appended): AppendResult {
  if (share !== undefined) for (const [name, value] of Object.entries(rateLimitHeaders(share))) c.header(name, value);
  return result;
}
