/** Nothing is shown of work that is done within this time. */
const QUIET_MS = 1_000;

export interface Progress {
  say(text: string): void;
  /** Takes the line away. */
  end(): void;
}

/**
 * How far work has come that takes more than a second, in one line of standard error that is written over. Only a terminal
 * is shown it: in a file of errors it would be noise.
 */
export function progress(): Progress {
  const begunMs = Date.now();
  let isShown = false;
  const write = (text: string) => process.stderr.write(`\r\u001b[2K${text}`);
  return {
    say: (text) => {
      if (!process.stderr.isTTY || Date.now() - begunMs < QUIET_MS) return;
      isShown = true;
      write(text);
    },
    end: () => {
      if (isShown) write("");
      isShown = false;
    },
  };
}
