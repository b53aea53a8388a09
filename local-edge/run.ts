import { notifyManager } from "./notify-manager.ts";
import { serveEdge } from "./serve.ts";
import { onStopRequest } from "./stop-request.ts";

/**
 * The edge alone, as a process of its own: prints `ready <url>` when it answers, stops on SIGINT or SIGTERM.
 * Settings: GANGLION_LISTEN or GANGLION_PORT, GANGLION_STATE_DIR.
 */
export async function run(): Promise<void> {
  const edge = await serveEdge(
    (sentence) => console.error(sentence),
    ({ level, message }) => console.error(`${level}: ${message}`),
  );
  onStopRequest(async () => {
    await notifyManager(["STOPPING=1"]);
    await edge.stop();
    process.exit(0);
  });
  console.log(`ready ${edge.url}`);
  await notifyManager(["READY=1", `STATUS=listening at ${edge.url}`]);
}
