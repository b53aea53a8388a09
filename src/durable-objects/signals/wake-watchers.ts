import { ATTENTION_CHANGED } from "../../core/attention/ecosystem-state.ts";
import type { Connection } from "./connection.ts";

/** Wakes the streams that asked for it, by a frame without signals: what needs somebody has changed. */
export function wakeWatchers(connections: Iterable<Connection>): void {
  for (const { socket, subscription } of connections) {
    if (subscription?.patterns.includes(ATTENTION_CHANGED) !== true) continue;
    try {
      socket.send(`{"type":"signals","last":${subscription.sent},"signals":[]}`);
    } catch {
      // The other end left between two events. Who watches looks again when the stream is open again.
    }
  }
}
