import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { type DeadFile, moveToDeadLetters } from "../base/files/dead-letter-folder.ts";
import type { DeadLetterOutbox } from "../store/dead-letter-outbox.ts";
import { errorsText } from "../store/intake.ts";

export interface IntentDeadLettersOptions {
  /** The watched directory; files are moved to `dead-letter/` in it. */
  readonly directory: string;
  readonly hostId: string;
  /** Reports each dead letter to the edge. */
  readonly deadLetters: Pick<DeadLetterOutbox, "put">;
  readonly now: () => number;
}

export const JSON_LINES_REASON =
  "an intent is one JSON object in a file of its own, named *.json: write each line into such a file, or send signals by `ganglion emit -`";

/** How much of a file goes into the dead letter at the edge. */
const TEXT_BYTES = 16_384;

/** Intent files that cannot be routed: each is reported to the edge and moved to `dead-letter/`. */
export class IntentDeadLetters {
  readonly #options: IntentDeadLettersOptions;
  readonly #folder: string;

  constructor(options: IntentDeadLettersOptions) {
    this.#options = options;
    this.#folder = join(options.directory, "dead-letter");
  }

  /**
   * The edge is notified before the file is moved: after a crash in between, the next scan finds the file and reports
   * the same id again, which the edge recognises.
   *
   * @returns the path in the folder; `undefined` when the file was gone
   */
  async add(path: string, name: string, dead: DeadFile): Promise<string | undefined> {
    const letter = await this.#report(path, name, dead);
    const moved = await moveToDeadLetters(path, name, this.#folder, { ...dead, letter }, this.#options.now());
    return moved === undefined ? undefined : join(this.#folder, moved);
  }

  /**
   * The id is made from the content and not from the file's name: the same content twice is one failure with two
   * attempts.
   *
   * @returns the dead letter's id
   */
  async #report(path: string, name: string, { reason, errors, ...details }: DeadFile): Promise<string> {
    const { hostId, deadLetters } = this.#options;
    const text = await beginningOf(path);
    const id = `${hostId}.intent.${createHash("sha256").update(text).digest("hex").slice(0, 24)}`;
    await deadLetters.put({
      id,
      kind: "intent",
      intent: { file: name, text, ...details },
      daemon: `agent/intents/${hostId}`,
      error: errors === undefined || errors.length === 0 ? reason : `${reason}: ${errorsText(errors)}`,
    });
    return id;
  }
}

/** The file's beginning; empty for a file that cannot be read, which is then the reason of its dead letter. */
async function beginningOf(path: string): Promise<string> {
  try {
    // Non-blocking: to open a pipe in the place of a file would wait for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      if (!(await file.stat()).isFile()) return "";
      const { buffer, bytesRead } = await file.read(Buffer.alloc(TEXT_BYTES), 0, TEXT_BYTES, 0);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return "";
  }
}
