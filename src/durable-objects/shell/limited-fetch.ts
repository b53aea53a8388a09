import { logLine } from "./log-line.ts";
import { PLATFORM } from "./platform-limits.ts";

/** How an object reaches another service. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * Refuses a connection for which the platform would have another one wait: the time limit of the waiting one would run out
 * while nobody is asked.
 */
export function limitedFetch(fetch: Fetch): Fetch {
  let open = 0;
  return async (url, init) => {
    if (open >= PLATFORM.connections) {
      const error = new Error(`a connection beyond the ${PLATFORM.connections} that an object may have waiting`);
      logLine("error", "limit-exceeded", { error });
      throw error;
    }
    open++;
    try {
      return await fetch(url, init);
    } finally {
      open--;
    }
  };
}
