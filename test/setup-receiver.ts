import type { TestProject } from "vitest/node";
import { startReceiver } from "./harness/webhook-receiver.ts";
import "./provided-context.ts";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const receiver = await startReceiver();
  project.provide("receiver", receiver.url);
  return receiver.stop;
}
