import { vi } from "vitest";
import { PATIENCE_MS } from "./until.ts";

/** Resolves when `check` throws no more. For what changes without telling the test, such as files: look often, fail late. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: PATIENCE_MS, interval: 10 });
}
