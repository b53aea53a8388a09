import type { TestProject } from "vitest/node";
import { startOtlpReceiver } from "./harness/otlp-receiver.ts";
import { startReceiver } from "./harness/webhook-receiver.ts";
import "./provided-context.ts";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [receiver, otlp] = await Promise.all([startReceiver(), startOtlpReceiver()]);
  project.provide("receiver", receiver.url);
  project.provide("otlp", otlp.url);
  return async () => {
    await Promise.all([receiver.stop(), otlp.stop()]);
  };
}
