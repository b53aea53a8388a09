import { setTimeout as pause } from "node:timers/promises";
import { ApiProblem, EdgeUnreachable } from "../../../src/client/http/problem-errors.ts";

/** Until it is answered; the same again, under the same id. @throws an answer that another attempt would not change */
export async function insist(act: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await act();
      return;
    } catch (error) {
      const mayPass = error instanceof EdgeUnreachable || (error instanceof ApiProblem && isPassing(error));
      if (!mayPass) throw error;
      await pause(50);
    }
  }
}

/** Overloaded, or out of order for a while. */
export function isPassing({ problem }: ApiProblem): boolean {
  return problem.status === 429 || problem.status >= 502;
}
