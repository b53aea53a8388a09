import { describe, expect, it } from "vitest";
import { Inbox, type Received } from "../../../local-agent/store/inbox.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { temporaryDirectory } from "../../unit/store/temporary-state.ts";

const received = (seq: number): Received => ({ seq, id: `id-${seq}`, signal: "Q_TEST_DONE", text: `{"seq":${seq}}` });
const seqs = (signals: readonly Received[]) => signals.map(({ seq }) => seq);

function openInbox(directory: string, sinks: readonly string[]) {
  const db = StateDatabase.open(directory);
  return { db, inbox: new Inbox(db, sinks) };
}

describe("inbox", () => {
  it("has no cursor before the first delivery, and takes it from an empty one", async () => {
    const { db, inbox } = openInbox(temporaryDirectory(), ["bus"]);
    expect(inbox.cursor).toBeNull();
    expect(await inbox.receive(41, [])).toBe(41);
    expect(inbox.cursor).toBe(41);
    expect(inbox.next("bus", 10)).toEqual([]);
    db.close();
  });

  it("drops signals that arrive again", async () => {
    const { db, inbox } = openInbox(temporaryDirectory(), ["bus"]);
    await Promise.all([
      inbox.receive(3, [received(2), received(3)]),
      inbox.receive(3, [received(2), received(3)]),
      inbox.receive(6, [received(3), received(5)]),
    ]);
    expect(seqs(inbox.next("bus", 10))).toEqual([2, 3, 5]);
    expect(inbox.cursor).toBe(6);
    db.close();
  });

  it("moves its cursor past signals that no sink reads, without storing them", async () => {
    const db = StateDatabase.open(temporaryDirectory());
    const inbox = new Inbox(db, ["bus"], ({ seq }) => seq % 2 === 1);
    let told = 0;
    inbox.onReceive(() => told++);
    expect(await inbox.receive(4, [2, 4].map(received))).toBe(4);
    expect(told).toBe(0);
    expect(await inbox.receive(6, [4, 5, 6].map(received))).toBe(6);
    expect(told).toBe(1);
    expect(seqs(inbox.next("bus", 10))).toEqual([5]);
    db.close();
  });

  it("gives each sink every signal once, across restarts, and deletes signals that all sinks have passed", async () => {
    const directory = temporaryDirectory();
    const first = openInbox(directory, ["bus", "reactions"]);
    await first.inbox.receive(4, [1, 2, 3, 4].map(received));
    await first.inbox.advance("bus", 3);
    await first.inbox.advance("reactions", 1);
    first.db.close();
    const second = openInbox(directory, ["bus", "reactions"]);
    expect(second.inbox.cursor).toBe(4);
    expect(seqs(second.inbox.next("bus", 10))).toEqual([4]);
    expect(seqs(second.inbox.next("reactions", 2))).toEqual([2, 3]);
    expect(second.db.sql.prepare("SELECT seq FROM inbox").all()).toHaveLength(3);
    await second.inbox.advance("reactions", 4);
    await second.inbox.advance("bus", 4);
    expect(second.db.sql.prepare("SELECT seq FROM inbox").all()).toHaveLength(0);
    second.db.close();
  });

  it("notifies listeners after the commit, and only of new signals", async () => {
    const { db, inbox } = openInbox(temporaryDirectory(), ["bus"]);
    const heard: number[] = [];
    const end = inbox.onReceive(() => heard.push(inbox.next("bus", 10).length));
    await inbox.receive(2, [received(2)]);
    await inbox.receive(2, [received(2)]);
    end();
    await inbox.receive(3, [received(3)]);
    expect(heard).toEqual([1]);
    db.close();
  });

  it("starts a new sink at the signals that arrive from now on, and deletes the cursor of a removed sink", async () => {
    const directory = temporaryDirectory();
    const first = openInbox(directory, ["bus"]);
    await first.inbox.receive(2, [received(1), received(2)]);
    first.db.close();
    const second = openInbox(directory, ["bus", "reactions"]);
    expect(seqs(second.inbox.next("bus", 10))).toEqual([1, 2]);
    expect(seqs(second.inbox.next("reactions", 10))).toEqual([]);
    second.db.close();
    const without = openInbox(directory, []);
    expect(without.inbox.cursor).toBeNull();
    without.db.close();
    const again = openInbox(directory, ["bus"]);
    expect(again.inbox.next("bus", 10)).toEqual([]);
    again.db.close();
  });

  it("adds a sink while it runs, from the next signal on, and keeps no signals for a removed one", async () => {
    const { db, inbox } = openInbox(temporaryDirectory(), ["bus"]);
    await inbox.receive(2, [received(1), received(2)]);
    await Promise.all([inbox.setSinks(["bus", "reactions"], () => true), inbox.receive(3, [received(3)])]);
    expect(seqs(inbox.next("bus", 10))).toEqual([1, 2, 3]);
    expect(seqs(inbox.next("reactions", 10))).toEqual([3]);
    await inbox.advance("reactions", 3);
    await inbox.setSinks(["reactions"], ({ seq }) => seq !== 5);
    await inbox.receive(6, [received(4), received(5), received(6)]);
    expect(seqs(inbox.next("reactions", 10))).toEqual([4, 6]);
    await inbox.advance("reactions", 6);
    expect(db.sql.prepare("SELECT count(*) AS n FROM inbox").get()).toEqual({ n: 0 });
    db.close();
  });

  it("keeps no cursor without sinks, not even from a delivery that was on its way", async () => {
    const { db, inbox } = openInbox(temporaryDirectory(), ["bus"]);
    await inbox.receive(2, [received(2)]);
    await Promise.all([inbox.setSinks([], () => true), inbox.receive(3, [received(3)])]);
    expect(inbox.cursor).toBeNull();
    await inbox.setSinks(["bus"], () => true);
    expect(inbox.cursor).toBeNull();
    expect(inbox.next("bus", 10)).toEqual([]);
    db.close();
  });
});
