import { join } from "node:path";
import { Link, type LinkOptions } from "../../../local-agent/link/link.ts";
import { DeadLetterFile } from "../../../local-agent/store/dead-letter-file.ts";
import { DeadLetterOutbox } from "../../../local-agent/store/dead-letter-outbox.ts";
import { Inbox } from "../../../local-agent/store/inbox.ts";
import type { TimedSignal } from "../../../local-agent/store/signal-text.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { afterEachTest } from "../../harness/cleanup.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { FakeEdge } from "./fake-edge.ts";

export const signal = (value: unknown, name = "Q_TEST_DONE"): TimedSignal => ({
  id: undefined,
  signal: name,
  source: "test",
  timestampMs: 1_700_000_000_000,
  factsJson: JSON.stringify({ value }),
  cause: undefined,
  trace: undefined,
  depth: undefined,
});
export const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

const closing: (() => Promise<void>)[] = [];
afterEachTest(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

export async function startEdge(): Promise<FakeEdge> {
  const edge = await FakeEdge.listen();
  closing.push(() => edge.close());
  return edge;
}

export async function startLink(edge: { url: string }, options: Partial<LinkOptions> & { directory?: string } = {}) {
  const directory = options.directory ?? temporaryDirectory();
  const db = StateDatabase.open(directory);
  const spool = new Spool(db, { hostId: "a", maxBytes: 1e9, now: Date.now, log: silent });
  const inbox = new Inbox(db, ["test"]);
  const deadLetterFile = new DeadLetterFile({
    path: join(directory, "dead-letter/link.jsonl"),
    maxBytes: 1e6,
    log: silent,
  });
  const deadLetters = new DeadLetterOutbox(db, { hostId: "a", log: silent });
  const link = new Link({
    url: edge.url,
    token: () => "secret",
    ecosystem: "default",
    hostId: "a",
    spool,
    deadLetters,
    inbox,
    subscribe: ["*", "!OBSERVATION"],
    deadLetterFile,
    log: silent,
    backOff: { initialMs: 1, maxMs: 20 },
    ...options,
  });
  const stop = async () => {
    await link.stop();
    await deadLetterFile.flush();
    db.close();
  };
  closing.push(stop);
  await link.start();
  return { link, spool, inbox, deadLetters, db, directory, stop };
}

/** Resolves when `until` holds, looked at whenever the link changes. */
export const changed = (link: Link, until: () => boolean) =>
  new Promise<void>((resolve) => {
    const look = () => until() && resolve();
    link.onChange(look);
    look();
  });
