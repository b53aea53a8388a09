import { createHash } from "node:crypto";
import * as z from "zod";
import { readOlderLetter } from "../../src/core/dead-letters/older-letter.ts";
import { CommandRefused } from "../feature/command.ts";
import type { DeadLetterOutbox } from "../store/dead-letter-outbox.ts";

const MAX_LETTERS = 500;
const Payload = z.object({ letters: z.array(z.unknown()).min(1).max(MAX_LETTERS) });

/**
 * Takes dead letters of older daemons of this host, as lines of `failed_signals.jsonl`, on their way to the edge. The id of
 * each is made from its line, so a line that is imported twice is one dead letter.
 *
 * @throws CommandRefused for a payload that is no list of letters; nothing is imported then
 */
export async function importDeadLetters(
  payload: unknown,
  outbox: Pick<DeadLetterOutbox, "put">,
  hostId: string,
): Promise<{ imported: number; refused: { line: number; reason: string }[] }> {
  const read = Payload.safeParse(payload);
  if (!read.success) throw new CommandRefused(`Give {letters: […]}, 1 to ${MAX_LETTERS} of them`);
  const refused: { line: number; reason: string }[] = [];
  let imported = 0;
  for (const [place, line] of read.data.letters.entries()) {
    try {
      const letter = readOlderLetter(line);
      const digest = createHash("sha256").update(JSON.stringify(line)).digest("hex").slice(0, 24);
      await outbox.put({ ...letter, id: `${hostId}.imported.${digest}` });
      imported++;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      refused.push({ line: place, reason: error.message });
    }
  }
  return { imported, refused };
}
