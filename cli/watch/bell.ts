/** Wakes one waiter; a ring while nobody waits is remembered. */
export class Bell {
  #rings = false;
  #wake: () => void = () => undefined;

  ring(): void {
    this.#rings = true;
    this.#wake();
  }

  /** Resolves when the bell was rung, after a time, or at the end. */
  async rung(ms: number, end: AbortSignal): Promise<void> {
    if (!this.#rings && !end.aborted) {
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          end.removeEventListener("abort", done);
          this.#wake = () => undefined;
          resolve();
        };
        const timer = setTimeout(done, ms);
        end.addEventListener("abort", done);
        this.#wake = done;
      });
    }
    this.#rings = false;
  }
}
