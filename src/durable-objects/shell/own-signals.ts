import { NotedNumbers } from "./noted-numbers.ts";
import type { Notes } from "./notes.ts";
import { Outbox } from "./outbox.ts";
import { OutboxRelay, type RelayBindings } from "./outbox-relay.ts";

interface OwnSignalsOptions {
  readonly ctx: Pick<DurableObjectState, "waitUntil">;
  readonly env: RelayBindings;
  readonly ecosystem: string;
  readonly sql: SqlStorage;
  readonly notes: Notes<"epoch" | "emitted">;
  /** Of the object: its producer is `ganglion.<name>.<epoch>`. */
  readonly name: string;
  readonly wakeBy: (atMs: number) => void;
}

/**
 * The signals of an object that emits what it decides: their numbers, their outbox, and the relay that hands them to the log.
 * They are written in the transaction of the state that they follow from, see {@link write}, and handed over after it.
 */
export class OwnSignals {
  readonly numbers: NotedNumbers;
  readonly outbox: Outbox;
  readonly #relay: OutboxRelay;
  readonly #ctx: OwnSignalsOptions["ctx"];

  constructor({ ctx, env, ecosystem, sql, notes, name, wakeBy }: OwnSignalsOptions) {
    this.#ctx = ctx;
    this.numbers = new NotedNumbers(notes, (epoch) => `ganglion.${name}.${epoch}`);
    this.outbox = new Outbox(sql, this.numbers);
    this.#relay = new OutboxRelay({ env, outbox: this.outbox, ecosystem, name, wakeBy });
  }

  /** In the transaction. @returns the id that the signal will have */
  emit(draft: Parameters<Outbox["emit"]>[0]): string {
    return this.outbox.emit(draft);
  }

  /** In the transaction, after everything was emitted. */
  write(): void {
    this.numbers.write();
  }

  /** The transaction failed: takes the disk's word. */
  reload(): void {
    this.numbers.reload();
    this.outbox.forgetFilled();
  }

  /** In the turn of the change: hands over what it emitted. The alarm repeats that after a crash. @returns whether it emitted any */
  handOver(): boolean {
    if (!this.outbox.takeFilled()) return false;
    this.#relay.soon();
    this.#ctx.waitUntil(this.#relay.run());
    return true;
  }

  /** At the alarm: hands over what is left of before. */
  run(): Promise<void> {
    this.outbox.takeFilled();
    return this.#relay.run();
  }
}
