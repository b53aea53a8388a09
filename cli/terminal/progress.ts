/** Nothing is shown of work that is done within this time. */
const QUIET_MS = 1_000;

let isShown = false;

/** Writes over the line of before. Only a terminal is shown it: in a file of errors it would be noise. */
function show(text: string): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r\u001b[2K${text}`);
  isShown = true;
}

/** Takes the line away, before anything else is written. */
export function hideProgress(): void {
  if (isShown) process.stderr.write("\r\u001b[2K");
  isShown = false;
}

/** How far work has come, in one line of standard error, where the work takes more than a second. */
export function progress(): { say(text: string): void; end(): void } {
  const begunMs = Date.now();
  return {
    say: (text) => {
      if (Date.now() - begunMs >= QUIET_MS) show(text);
    },
    end: hideProgress,
  };
}

/** Says each second for how long an answer is awaited, from the first second on. */
export async function whileWaiting<Answer>(answer: Promise<Answer>): Promise<Answer> {
  if (!process.stderr.isTTY) return answer;
  let seconds = 0;
  const timer = setInterval(() => {
    seconds++;
    show(`waiting for the edge, ${seconds} s`);
  }, QUIET_MS);
  try {
    return await answer;
  } finally {
    clearInterval(timer);
    hideProgress();
  }
}
