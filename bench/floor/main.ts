import { readFileSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare, NoOpLog } from "miniflare";
import { freePort } from "../free-port.ts";

/** Runs the floor on a directory, on any free port: `node main.ts DIRECTORY`. Prints `ready <url>`. */
const [, , directory = ""] = process.argv;
const port = await freePort();
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    name: "floor",
    modules: [
      { type: "ESModule", path: "worker.mjs", contents: readFileSync(join(import.meta.dirname, "worker.mjs"), "utf8") },
    ],
    compatibilityDate: "2026-10-01",
    compatibilityFlags: ["no_web_socket_compression"],
    durableObjects: {
      LOG: { className: "FloorLog", useSQLite: true },
      QUEUE: { className: "FloorQueue", useSQLite: true },
    },
    resourcePersistencePath: directory,
    cf: false,
    telemetry: { enabled: false },
    log: new NoOpLog(),
    host: "127.0.0.1",
    port: 0,
    // As the edge: requests go straight to the Worker.
    unsafeDirectSockets: [{ host: "127.0.0.1", port }],
  }),
);
await miniflare.ready;
console.log(`ready http://127.0.0.1:${port}`);
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => void miniflare.dispose().finally(() => process.exit(0)));
}
