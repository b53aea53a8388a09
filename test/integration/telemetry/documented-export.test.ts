import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { atEnd } from "../../harness/cleanup.ts";
import { startOtlpReceiver } from "../../harness/otlp-receiver.ts";
import type { OtlpBox } from "../../harness/otlp-schema.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";

const page = readFileSync(join(PROJECT_ROOT, "docs/telemetry.md"), "utf8");
const KEYS = { LANGFUSE_PUBLIC_KEY: "pk-lf-1", LANGFUSE_SECRET_KEY: "sk-lf-2" };

let edge: RunningEdge;
let receiver: { readonly url: string };
beforeAll(async () => {
  const started = await startOtlpReceiver();
  atEnd(started.stop);
  receiver = started;
  edge = await runEdge();
});

it.each([
  ["Langfuse", "https://cloud.langfuse.com", "/api/public/otel/v1/traces"],
  ["An OpenTelemetry collector", "http://127.0.0.1:4318", "/v1/traces"],
])("the block below %s in docs/telemetry.md exports to it", async (title, address, path) => {
  const block = new RegExp(`^## ${title}$.*?^\`\`\`sh\n(.*?)^\`\`\`$`, "ms").exec(page)?.[1] ?? "";
  expect(block).toContain(address);
  const box = title.replaceAll(" ", "-");
  const script = block
    .replaceAll(address, `${receiver.url}/${box}/200`)
    .replaceAll("npx ganglion", `"${process.execPath}" cli/ganglion.mjs`);
  const env = {
    ...process.env,
    ...KEYS,
    GANGLION_URL: edge.url,
    GANGLION_TOKEN: edge.token,
    GANGLION_ECOSYSTEM: "docs",
  };
  const { stdout } = await promisify(execFile)("bash", ["-euo", "pipefail", "-c", script], { cwd: PROJECT_ROOT, env });
  expect(stdout).toMatch(/^delivered\s+yes$/m);
  expect(stdout).not.toContain(KEYS.LANGFUSE_SECRET_KEY);
  const { requests, invalid } = (await (await fetch(`${receiver.url}/${box}?spans=1`)).json()) as OtlpBox;
  expect(invalid).toEqual([]);
  expect(requests[0]?.path).toBe(`/${box}/200${path}`);
  const authorization = title === "Langfuse" ? `Basic ${btoa("pk-lf-1:sk-lf-2")}` : undefined;
  expect(requests[0]?.headers.authorization).toBe(authorization);
});
