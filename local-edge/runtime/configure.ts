import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { convertV4MiniflareOptions, Miniflare, NoOpLog } from "miniflare";
import type { Bundle } from "../bundle.ts";
import { PROJECT_ROOT } from "../paths.ts";
import { LOOPBACK } from "../port.ts";
import type { RuntimeSettings } from "./settings.ts";

/**
 * Writes the configuration of the runtime to the file that GANGLION_RUNTIME_CONFIG names. The settings come on the standard
 * input: they hold a secret. Directories and addresses in it are of no use, the runtime is given others at its start
 * (runtime.ts). A process of its own, because Miniflare takes more memory than all the rest of the edge. Every
 * option of Miniflare stands in this file alone: its interface is a beta.
 */
const [, , bundleFile = ""] = process.argv;
const { bindings, v8Flags } = JSON.parse(await text(process.stdin)) as RuntimeSettings;
const bundle = JSON.parse(readFileSync(bundleFile, "utf8")) as Bundle;
const { compatibilityFlags, bindings: variables } = bundle.options;

/** State lies under names that hold this one: another name would start empty. */
const WORKER = "ganglion";
/**
 * Compression keeps 310 KB for each socket, and what it saves, bytes on the wire, costs nothing on a machine or in its
 * network.
 */
const MACHINE_FLAGS = ["no_web_socket_compression"];

process.env.MINIFLARE_WORKERD_PATH = join(import.meta.dirname, "capture.sh");
process.env.MINIFLARE_WORKERD_V8_FLAGS = v8Flags;
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    ...bundle.options,
    name: WORKER,
    rootPath: PROJECT_ROOT,
    modules: bundle.modules.map((module) => ({ ...module, path: join(PROJECT_ROOT, "dist", module.path) })),
    modulesRoot: join(PROJECT_ROOT, "dist"),
    compatibilityFlags: [
      ...(Array.isArray(compatibilityFlags) ? compatibilityFlags.map(String) : []),
      ...MACHINE_FLAGS,
    ],
    bindings: { ...(variables as Record<string, string>), ...bindings },
    // No look-up of where this machine is: nothing here needs it, and start must work without a network.
    cf: false,
    telemetry: { enabled: false },
    // Without a path Miniflare would keep no object's storage.
    resourcePersistencePath: process.env.TMPDIR ?? "",
    // Requests go straight to the Worker. Miniflare's own entry, which triggers the cron, stands in front of it with a second
    // Worker and costs half of the throughput: it gets any free port, which is not announced.
    host: LOOPBACK,
    port: 0,
    unsafeDirectSockets: [{ host: LOOPBACK, port: 0 }],
    unsafeTriggerHandlers: true,
    log: new NoOpLog(),
    logRequests: false,
    // The runtime writes its log as JSON then.
    handleStructuredLogs: () => undefined,
  }),
);
// It never becomes ready: what it starts takes the configuration, and ends.
await miniflare.ready.then(
  () => undefined,
  (error: unknown) => {
    if (!existsSync(process.env.GANGLION_RUNTIME_CONFIG ?? "")) throw error;
  },
);
process.exit(0);
