import type { DeadLetterRecord } from "../../core/dead-letters/dead-letter.ts";
import { type Problem, problem } from "../../core/problem/problem.ts";
import type { AgentFrame } from "../../core/wire/link-frames.ts";
import { logLine } from "../shell/log-line.ts";
import type { Connection } from "./connection.ts";

/** When a host is to send dead letters again that could not be recorded. */
const AGAIN_MS = 5_000;

export interface LinkDeadLettersOptions {
  /** Records dead letters; resolves when the ecosystem's dead-letter store has them durably. */
  readonly deadLetter: (records: readonly DeadLetterRecord[]) => Promise<void>;
  readonly transmit: (connection: Connection, frame: string) => void;
  /** @param letters - batch of the refused frame */
  readonly refuse: (connection: Connection, letters: number, refusal: Problem, retryAfterMs?: number) => void;
}

/** Takes the dead letters of hosts for the ecosystem's dead-letter store. */
export class LinkDeadLetters {
  readonly #options: LinkDeadLettersOptions;

  constructor(options: LinkDeadLettersOptions) {
    this.#options = options;
  }

  receive(
    connection: Connection,
    host: string,
    { batch, letters }: Pick<Extract<AgentFrame, { type: "letters" }>, "batch" | "letters">,
  ): void {
    const { deadLetter, transmit, refuse } = this.#options;
    // A host sends its own dead letters only: it could otherwise change those of another host.
    const foreign = letters.find(({ id }) => !id.startsWith(`${host}.`));
    if (foreign !== undefined) {
      const detail = `${foreign.id}: the ids of this host's dead letters begin with ${host}.`;
      return refuse(connection, batch, problem("foreign-letter", 403, "Dead letter of another host", detail));
    }
    deadLetter(letters.map((letter) => ({ ...letter, host }))).then(
      () => transmit(connection, JSON.stringify({ type: "lettered", batch })),
      (error: unknown) => {
        logLine("warn", "dead-letters-not-recorded", { object: "signals", host, error });
        refuse(connection, batch, problem("overloaded", 503, "The dead letters could not be recorded"), AGAIN_MS);
      },
    );
  }
}
