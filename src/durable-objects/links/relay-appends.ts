import { GatheredCalls } from "../../core/links/gathered-calls.ts";
import type { AppendOutcome, AppendRequest } from "../../core/signals/api.ts";
import { logLine } from "../shell/log-line.ts";

interface Waiting {
  readonly request: AppendRequest;
  readonly answer: (outcome: AppendOutcome) => void;
}

/** Characters of one call, and of the appends that wait. A frame of a link has a million at most. */
const CALL_CHARS = 4 * 1024 * 1024;
const WAITING_CHARS = 16 * 1024 * 1024;
/** What a signal takes beside its facts. */
const SIGNAL_CHARS = 256;
const RETRY_MS = 1_000;

/** Appends of many links in few calls of the log, each answered as the log answers it. */
export class RelayAppends {
  readonly #calls: GatheredCalls<Waiting>;

  /** @param lingerMs - how long appends gather for one call after the call before was sent; what comes during a call always does */
  constructor(append: (requests: readonly AppendRequest[]) => Promise<AppendOutcome[]>, lingerMs: number) {
    this.#calls = new GatheredCalls<Waiting>({
      send: async (appends) => {
        let outcomes: readonly AppendOutcome[] = [];
        try {
          outcomes = await append(appends.map(({ request }) => request));
        } catch (error) {
          logLine("warn", "log-unreachable", { object: "links", error });
        }
        // Whether the log has written what it did not answer is not known. The links send it again under the same numbers.
        appends.forEach(({ answer }, place) => {
          answer(outcomes[place] ?? overloaded("the log could not be reached"));
        });
      },
      linger: () => new Promise((resolve) => setTimeout(resolve, lingerMs)),
      refuse: ({ answer }) => answer(overloaded("more signals wait for the log than a relay may hold")),
      weigh: ({ request: { signals } }) =>
        signals.reduce((sum, { factsJson }) => sum + factsJson.length + SIGNAL_CHARS, 0),
      callWeight: CALL_CHARS,
      capacity: WAITING_CHARS,
    });
  }

  add(request: AppendRequest, answer: (outcome: AppendOutcome) => void): void {
    this.#calls.add({ request, answer });
  }
}

const overloaded = (detail: string): AppendOutcome => ({ overloaded: true, retry_after_ms: RETRY_MS, detail });
