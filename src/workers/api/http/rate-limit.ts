import { rateLimitHeaders } from "../../../core/problem/rate-limit.ts";
import type { Appended, AppendResult } from "../../../core/signals/api.ts";
import { jsonText } from "./route.ts";

/**
 * Answers a sender. Headers tell what the sender may add today, and the body leaves that out. Made in one piece: hono would
 * build the headers one by one, which is a tenth of such a call.
 */
export function appended({ share, ...result }: Appended) {
  return jsonText<AppendResult, 202>(JSON.stringify(result), share === undefined ? {} : rateLimitHeaders(share), 202);
}
