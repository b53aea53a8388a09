import { join } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Projects run one after the other: two workerd pools and a set of real processes at once are too much for two cores. */
const after = (groupOrder: number) => ({ sequence: { groupOrder } });

/** A test that hangs fails; one on a busy machine does not. */
const patience = (ms: number) => ({
  testTimeout: ms,
  hookTimeout: ms,
  expect: { poll: { timeout: ms / 2, interval: 20 } },
});

/** Stands for a build of the dashboard, which tests in workerd do not need. */
const page = (name: string) => ({
  script: `assets/${name}-1.js`,
  styles: [`assets/${name}-1.css`],
  preload: [],
});
const DASHBOARD = {
  "manifest.json": JSON.stringify({ pages: { app: page("app"), "sign-in": page("sign-in") } }),
  "assets/app-1.js": "document.title = 'built';",
  "assets/app-1.css": "body { margin: 0 }",
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          maxWorkers: 2,
          // No process starts here and nothing global is changed for long: files share the modules that they import.
          isolate: false,
          setupFiles: ["./test/setup-cleanup.ts"],
          ...patience(60_000),
          ...after(0),
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            // No look-up of where this machine is: tests need no network.
            miniflare: {
              cf: false,
              bindings: {
                ADMIN_TOKEN: "the-administrator",
                WEBHOOKS_ALLOW_PRIVATE: "true",
                PLATFORM_LIMITS: "true",
                DASHBOARD_FILES: DASHBOARD,
                // As on one machine. Tests of what is billed make objects with another.
                PROFILE: "local",
                // An object that waits to report its state stays in memory for it. Tests of metrics turn this on.
                METRICS: "off",
                ...(process.env.FEDERATION_SIGNALS && { FEDERATION_SIGNALS: process.env.FEDERATION_SIGNALS }),
                ...(process.env.RELAY_FAULTS && { RELAY_FAULTS: process.env.RELAY_FAULTS }),
                ...(process.env.RELAY_SEED && { RELAY_SEED: process.env.RELAY_SEED }),
                // With 0 every link of every test goes to a relay.
                LINK_RELAY_LINKS: process.env.GANGLION_LINK_RELAY_LINKS ?? "50",
              },
            },
          }),
        ],
        test: {
          name: "workers",
          include: ["test/workers/**/*.test.ts"],
          maxWorkers: 2,
          // One runtime for all files, emptied after each test, is four times as fast as one for each file.
          isolate: false,
          setupFiles: ["./test/setup-workers.ts"],
          globalSetup: ["./test/setup-receiver.ts"],
          ...patience(60_000),
          ...after(1),
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts", "test/faults/**/*.test.ts"],
          // Each file starts processes of its own and waits for them four tenths of the time: with two at once, two cores
          // are idle as long, and with three a fifth of the time is saved.
          maxWorkers: 3,
          setupFiles: ["./test/setup-cleanup.ts"],
          ...patience(240_000),
          env: {
            // Hundreds of processes are started, mostly of the same code: what Node made of it once is used again.
            NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/compiled"),
            GANGLION_PLATFORM_LIMITS: "true",
          },
          ...after(2),
        },
      },
    ],
  },
});
