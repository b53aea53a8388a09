import { HOSTS_QUEUE } from "../../src/core/hosts/command-queue.ts";
import { callsOf } from "../queues/calls.ts";

/** A stop waits 30 s for a process that ends slowly. */
const COMMAND_MS = 60_000;

/** Has the host's supervisor do something, by a call through the edge. */
export const command = (ecosystem: string, host: string, what: string, payload: object) =>
  callsOf(ecosystem).call(HOSTS_QUEUE, host, `supervisor.${what}`, payload, {
    timeoutMs: COMMAND_MS,
    requireResponder: true,
  });
