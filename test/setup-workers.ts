import { reset } from "cloudflare:test";
import { afterEach } from "vitest";
import { loadLibrary } from "../src/workers/api/mcp/serve.ts";

// The Worker loads this by its first request for MCP. Here two such requests at once would share one loading of Vite's,
// which the runtime refuses: what waits in one request is not to be answered by another. A Worker that is built holds it.
await loadLibrary();

afterEach(async () => {
  await reset();
});
