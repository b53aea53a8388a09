import { queueCalls } from "../../src/client/queue.ts";
import { edgeOf } from "../base/edge.ts";

/** Calls about the queues of an ecosystem. Who looks tries again by a click, or with the next look. */
export const callsOf = (ecosystem: string) =>
  queueCalls({
    ...edgeOf(ecosystem),
    withRetries: (attempt) => attempt(),
    follow: () => {
      throw new Error("the dashboard follows no queue");
    },
  });
