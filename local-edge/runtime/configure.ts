import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { convertV4MiniflareOptions, Miniflare, NoOpLog } from "miniflare";
import type { Bundle } from "../bundle.ts";
import { PROJECT_ROOT } from "../paths.ts";
import { LOOPBACK } from "../port.ts";
import type { RuntimeSettings } from "./settings.ts";

/**
 * Writes the configuration of the runtime to the file that GANGLION_RUNTIME_CONFIG names, and prints directories that the
 * runtime needs. The settings come on the standard
 * input: they hold a secret. A process of its own, because Miniflare takes more memory than all the rest of the edge. Every
 * option of Miniflare stands in this file alone: its interface is a beta.
 */
const [, , bundleFile = ""] = process.argv;
const { host, port, storage, bindings, v8Flags } = JSON.parse(await text(process.stdin)) as RuntimeSettings;
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
    resourcePersistencePath: storage,
    // Requests go straight to the Worker. Miniflare's own entry, which triggers the cron, stands in front of it with a second
    // Worker and costs half of the throughput: it gets any free port, which is not announced.
    host: LOOPBACK,
    port: 0,
    unsafeDirectSockets: [{ host, port }],
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
// Directories that the configuration names, and that Miniflare removes when this process ends.
const temporary = `${tmpdir()}/`;
const [, ...behind] = readFileSync(process.env.GANGLION_RUNTIME_CONFIG ?? "", "latin1").split(temporary);
const named = behind.map((text) => temporary + /^[\w./-]*/.exec(text)?.[0]);
for (const directory of new Set(named)) console.log(directory);
process.exit(0);
