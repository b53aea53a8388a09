import type { Problem } from "../../src/core/problem/problem.ts";
import type { EdgeFrame } from "../../src/core/wire/link-frames.ts";
import type { Logger } from "../base/log.ts";
import type { DeadLetterSender } from "./dead-letter-sender.ts";
import type { Inbound } from "./inbound.ts";
import type { Outbound } from "./outbound.ts";

type Refused = Extract<EdgeFrame, { type: "refused" }>;

/** A refusal is the answer to one frame, and the other frames go on: only where it names none, the link begins anew. */
export function refusalRouter(outbound: Outbound, inbound: Inbound, deadLetters: DeadLetterSender, log: Logger) {
  return ({ batch, frame, letters, problem, retry_after_ms }: Refused): void => {
    if (batch !== null || frame === undefined || frame === "append")
      return outbound.refused(batch, problem as Problem, retry_after_ms);
    const reason = problem.detail === undefined ? problem.title : `${problem.title}: ${problem.detail}`;
    log.warn(`link: the edge refused a frame of the type ${frame}: ${reason.slice(0, 500)}`);
    if (frame === "letters") deadLetters.refused(letters, problem.status, retry_after_ms);
    else if (frame === "subscribe" && retry_after_ms !== undefined) inbound.subscribeAgainIn(retry_after_ms);
  };
}
