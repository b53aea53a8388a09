import { defineConfig } from "vitest/config";

/** Of `npm run try:service` alone: `npm test` boots no machines. */
export default defineConfig({
  test: { include: ["test/vm/**/*.test.ts"], testTimeout: 1_800_000, hookTimeout: 900_000 },
});
