import { join } from "node:path";
import { Reactions } from "../../../local-agent/reactions/reactions.ts";
import { ReactionsSettings } from "../../../local-agent/reactions/settings.ts";
import { REACTIONS_SINK } from "../../../local-agent/reactions/signal-reactions.ts";
import { DeadLetterFile } from "../../../local-agent/store/dead-letter-file.ts";
import { DeadLetterOutbox } from "../../../local-agent/store/dead-letter-outbox.ts";
import { Inbox } from "../../../local-agent/store/inbox.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { within } from "../../harness/until.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";

interface Said {
  readonly id?: string;
  readonly signal: string;
  readonly cause: string;
  readonly trace: string;
  readonly source: string;
  readonly facts: Record<string, unknown>;
}

/** An agent's parts around its reactions, on a real database, without an edge. */
export class ReactingHost {
  readonly directory: string;
  readonly db: StateDatabase;
  readonly inbox: Inbox;
  readonly spool: Spool;
  readonly reactions: Reactions;
  readonly deadLetters: DeadLetterFile;
  readonly deadLetterOutbox: DeadLetterOutbox;

  /**
   * @param directory - of an earlier host, to go on from what it left
   * @param url - of an edge; default: nobody is there
   */
  constructor(settings: Record<string, unknown>, directory = temporaryDirectory(), url = "http://127.0.0.1:1") {
    this.directory = directory;
    this.db = StateDatabase.open(directory);
    this.spool = new Spool(this.db, { hostId: "host-a", maxBytes: 1e8, now: Date.now, log: silent });
    this.inbox = new Inbox(this.db, [REACTIONS_SINK]);
    this.deadLetters = new DeadLetterFile({ path: join(directory, "dead.jsonl"), maxBytes: 1e6, log: silent });
    this.deadLetterOutbox = new DeadLetterOutbox(this.db, { hostId: "host-a", log: silent });
    this.reactions = new Reactions({
      db: this.db,
      inbox: this.inbox,
      spool: this.spool,
      hostId: "host-a",
      now: Date.now,
      log: silent,
      settings: ReactionsSettings.parse(settings),
      baseDir: directory,
      outputsDir: join(directory, "outputs"),
      edge: { url, ecosystem: "default", token: () => "none" },
      deadLetters: this.deadLetters,
      deadLetterOutbox: this.deadLetterOutbox,
    });
  }

  async receive(seq: number, signal: string, facts: Record<string, unknown> = {}, more: object = {}): Promise<void> {
    const id = `s${seq}.abc`;
    const at = "2026-01-31T12:00:00.000Z";
    const fields = { seq, id, signal, source: "test", ecosystem: "default", timestamp: at, received_at: at, facts };
    await this.inbox.receive(seq, [{ seq, id, signal, text: JSON.stringify({ ...fields, ...more }) }]);
  }

  /** What is in the spool, in order. */
  get said(): Said[] {
    const batch = this.spool.read("local", 1, 1_000, 1e7);
    return batch === null ? [] : batch.texts.map((text) => JSON.parse(text) as Said);
  }

  /** Resolves when `count` signals that `wanted` accepts are in the spool. */
  async until(count: number, wanted: (said: Said) => boolean = () => true): Promise<Said[]> {
    let end = () => {};
    const there = new Promise<void>((resolve) => {
      const look = () => this.said.filter(wanted).length >= count && resolve();
      end = this.spool.onPut(look);
      look();
    });
    await within(there, `${count} signals in the spool`).finally(end);
    return this.said.filter(wanted);
  }

  async stop(): Promise<void> {
    await this.reactions.stop();
    this.db.close();
  }
}
