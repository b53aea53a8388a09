import { describe, expect, it, onTestFinished } from "vitest";
import { DeadLetterSender } from "../../../local-agent/link/dead-letter-sender.ts";
import { DeadLetterOutbox } from "../../../local-agent/store/dead-letter-outbox.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { silent, temporaryDirectory } from "../store/temporary-state.ts";

interface Frame {
  readonly batch: number;
  readonly letters: readonly { readonly id: string }[];
}

async function start(ids: readonly string[], error = "no such directory") {
  const db = StateDatabase.open(temporaryDirectory());
  const outbox = new DeadLetterOutbox(db, { hostId: "a", log: silent });
  for (const id of ids) await outbox.put({ id: `a.${id}`, kind: "intent", intent: {}, error, daemon: "intents" });
  const sent: { frame: Frame; bytes: number }[] = [];
  const sender = new DeadLetterSender({
    outbox,
    log: silent,
    send: () => (text) => sent.push({ frame: JSON.parse(text), bytes: Buffer.byteLength(text) }),
  });
  sender.start();
  onTestFinished(() => {
    sender.stop();
    db.close();
  });
  sender.opened();
  const next = async (count: number) => {
    await expect.poll(() => sent.length).toBe(count);
    const { batch, letters } = sent.at(-1)?.frame ?? { batch: 0, letters: [] };
    return { batch, ids: letters.map(({ id }) => id) };
  };
  return { outbox, sender, sent, next };
}

describe("dead letters on their way to the edge", () => {
  it("that the edge will never take are dropped alone, and those beside them arrive", async () => {
    const { outbox, sender, next } = await start(["good", "bad", "late"]);
    const all = await next(1);
    expect(all.ids).toEqual(["a.good", "a.bad", "a.late"]);
    sender.refused(all.batch, 403, undefined);
    const good = await next(2);
    expect(good.ids).toEqual(["a.good"]);
    sender.stored(good.batch);
    const more = await next(3);
    expect(more.ids[0]).toBe("a.bad");
    sender.refused(more.batch, 422, undefined);
    const bad = await next(4);
    expect(bad.ids).toEqual(["a.bad"]);
    sender.refused(bad.batch, 422, undefined);
    const late = await next(5);
    expect(late.ids).toEqual(["a.late"]);
    sender.stored(late.batch);
    await expect.poll(() => outbox.waiting).toBe(0);
  });

  it("that the edge does not take now are sent again over the same connection", async () => {
    const { sender, next } = await start(["one"]);
    const first = await next(1);
    sender.refused(first.batch, 503, 1);
    expect((await next(2)).ids).toEqual(["a.one"]);
  });

  it("never make a frame that is too large, whatever their characters", async () => {
    const ids = Array.from({ length: 40 }, (_, place) => `n${place}`);
    const { outbox, sender, sent } = await start(ids, "€".repeat(50_000));
    let answered = 0;
    await expect
      .poll(() => {
        for (; answered < sent.length; answered++) sender.stored(sent[answered]?.frame.batch ?? 0);
        return outbox.waiting;
      })
      .toBe(0);
    expect(sent.flatMap(({ frame }) => frame.letters.map(({ id }) => id))).toEqual(ids.map((id) => `a.${id}`));
    expect(Math.max(...sent.map(({ bytes }) => bytes))).toBeLessThan(1024 * 1024);
  });
});
