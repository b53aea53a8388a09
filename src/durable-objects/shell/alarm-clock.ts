import type { UsageMeter } from "../../core/billing/usage.ts";

/**
 * The one alarm that the runtime gives an object, for many wishes: the earliest wins. Who wished for a later time
 * wishes again when the alarm has fired.
 */
export class AlarmClock {
  readonly #storage: DurableObjectStorage;
  readonly #meter: UsageMeter;
  readonly #beforeAlarm: () => void;
  #atMs: number | undefined;

  /**
   * @param restored - runs what has to end before the first call: `blockConcurrencyWhile`
   * @param beforeAlarm - called before each request for an alarm: writes the rows that the object needs at the wake
   */
  constructor(
    storage: DurableObjectStorage,
    meter: UsageMeter,
    restored: (restore: () => Promise<void>) => Promise<void>,
    beforeAlarm: () => void = () => undefined,
  ) {
    this.#beforeAlarm = beforeAlarm;
    this.#storage = storage;
    this.#meter = meter;
    void restored(async () => {
      const storedMs = await storage.getAlarm();
      // A constructor may have wished for an earlier time meanwhile.
      if (storedMs !== null) this.#atMs = Math.min(storedMs, this.#atMs ?? storedMs);
    });
  }

  /**
   * Makes the alarm fire at `atMs` or before. Each change of the alarm is a row written, so an alarm that is early
   * enough stays as it is. Set in the turn of a transaction, the alarm reaches the disk with it.
   */
  wakeBy(atMs: number): void {
    this.#beforeAlarm();
    if (this.#atMs !== undefined && this.#atMs <= atMs) return;
    this.#atMs = atMs;
    this.#meter.add({ rows_written: 1 });
    void this.#storage.setAlarm(atMs);
  }

  /** When the alarm fires; `undefined`: none is set. */
  get atMs(): number | undefined {
    return this.#atMs;
  }

  /** The alarm has fired: none is set. */
  fired(): void {
    this.#atMs = undefined;
  }
}
