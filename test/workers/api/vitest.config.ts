import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const objects = ["SignalLog", "ObservationCache", "PolicyState", "DeadLetters", "Directory"];
const binding = (name: string) => name.replace(/(?<=[a-z])[A-Z]/g, "_$&").toUpperCase();

/** The API in workerd, against stand-ins for the objects behind it (see stand-ins.ts); Directory is the real one. */
export default defineConfig({
  plugins: [
    cloudflareTest({
      main: "./test/workers/api/worker.ts",
      miniflare: {
        cf: false,
        compatibilityDate: "2026-10-01",
        compatibilityFlags: ["nodejs_compat"],
        bindings: { ADMIN_TOKEN: "the-administrator" },
        durableObjects: Object.fromEntries(
          objects.map((className) => [binding(className), { className, useSQLite: true }]),
        ),
      },
    }),
  ],
  test: { name: "api", include: ["test/workers/api/**/*.test.ts"], isolate: false },
});
