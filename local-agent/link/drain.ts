import type { Logger } from "../base/log.ts";
import type { Spool } from "../store/spool.ts";

export interface DrainOptions {
  readonly spool: Spool;
  readonly drainMs: number;
  readonly log: Logger;
  /** @see Link.onChange */
  readonly onChange: (listener: () => void) => () => void;
}

/** Resolves when the spool is sent, after `drainMs` at the latest, or when the link changes. */
export async function drain({ spool, drainMs, log, onChange }: DrainOptions): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, drainMs);
  });
  let forget: (() => void) | undefined;
  const broken = new Promise<void>((resolve) => {
    forget = onChange(resolve);
  });
  await Promise.race([spool.drained(), tooLong, broken]);
  forget?.();
  clearTimeout(timer);
  if (!spool.empty) log.info("link: the rest of the spool is sent after the next start");
}
