/** Runs asynchronous work one after the other, in the order in which it was given. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** @returns what `work` returns; a failure is that of its own caller and does not reach the next */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
