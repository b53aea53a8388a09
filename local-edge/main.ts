import { serveEdge } from "./serve.ts";
import { onStopRequest } from "./stop-request.ts";

/**
 * The edge alone, as a process of its own: prints `ready <url>` when it answers, stops on SIGINT or SIGTERM.
 * Settings: GANGLION_PORT, GANGLION_STATE_DIR.
 */
try {
  const edge = await serveEdge(
    (sentence) => console.error(sentence),
    ({ level, message }) => console.error(`${level}: ${message}`),
  );
  onStopRequest(async () => {
    await edge.stop();
    process.exit(0);
  });
  console.log(`ready ${edge.url}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
