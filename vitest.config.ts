import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
export default defineConfig({
  test: { projects: [
    { plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" }, miniflare: { cf: false, bindings: { ADMIN_TOKEN: "the-administrator" } } })],
      test: { name: "workers", isolate: false, setupFiles: ["./test/setup-workers.ts"], include: ["test/workers/**/*.test.ts"] } },
    { test: { name: "unit", include: ["test/unit/**/*.test.ts"] } } ] },
});
