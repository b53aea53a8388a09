import { describe, expect, test } from "vitest";
import { DeadLetterOutbox } from "../../../local-agent/store/dead-letter-outbox.ts";
import { Inbox, type Received } from "../../../local-agent/store/inbox.ts";
import { InboxReader } from "../../../local-agent/store/inbox-reader.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";

const received = (seq: number): Received => ({ seq, id: `s${seq}.e`, signal: "Q_A", text: `{"seq":${seq}}` });

/** @param refuse - throws for signals that cannot be handled */
function aReader(refuse: (one: Received) => void) {
  const db = StateDatabase.open(temporaryDirectory());
  const inbox = new Inbox(db, ["sink"]);
  const outbox = new DeadLetterOutbox(db, { hostId: "h", log: silent });
  const handled = new Set<number>();
  const waiting: (() => void)[] = [];
  const reader = new InboxReader({
    inbox,
    sink: "sink",
    log: silent,
    failure: "test",
    deadLetters: { outbox, hostId: "h" },
    handle: async (batch, last) => {
      for (const one of batch) {
        refuse(one);
        handled.add(one.seq);
      }
      await inbox.advance("sink", last);
      for (const look of waiting) look();
    },
  });
  reader.start();
  const until = (seq: number) =>
    new Promise<void>((resolve) => {
      const look = () => handled.has(seq) && resolve();
      waiting.push(look);
      look();
    });
  const letters = () => (outbox.next()?.deadLetters ?? []).map((text) => JSON.parse(text) as Record<string, unknown>);
  return { db, inbox, reader, handled, until, letters };
}

describe("a reader of the inbox", () => {
  test("dead-letters a signal that it can never handle, and goes on with those behind it", async () => {
    const { db, inbox, reader, handled, until, letters } = aReader(({ seq }) => {
      if (seq === 2) throw new RangeError("Maximum call stack size exceeded");
    });
    await inbox.receive(3, [received(1), received(2), received(3)]);
    await until(3);
    await reader.stop();
    expect([...handled]).toEqual([1, 3]);
    expect(letters()).toMatchObject([
      { id: "h.inbox.sink.2", kind: "signal", signal: { id: "s2.e" }, error: expect.stringContaining("Maximum call") },
    ]);
    expect(inbox.next("sink", 10)).toEqual([]);
    db.close();
  });

  test("tries a batch again that failed for another reason, and loses none of it", async () => {
    let full = true;
    const { db, inbox, reader, until, letters } = aReader(() => {
      if (full) throw new Error("database or disk is full");
    });
    await inbox.receive(1, [received(1)]);
    await reader.stop();
    full = false;
    reader.start();
    await until(1);
    await reader.stop();
    expect(letters()).toEqual([]);
    db.close();
  });
});
