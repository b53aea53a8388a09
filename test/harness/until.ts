import { existsSync, watch } from "node:fs";
import { dirname } from "node:path";

/** Longest wait where nothing else is said, in milliseconds: generous, since only a failure ever takes so long. */
export const PATIENCE_MS = 90_000;

/** What `promise` gives, or a failure that says what was waited for. */
export async function within<T>(promise: Promise<T>, what: string, patienceMs = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${patienceMs} ms for ${what}`)), patienceMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when there is a file, or none, at `path`. Its directory exists already, and stays. */
export async function untilFile(path: string, { gone = false } = {}): Promise<void> {
  const seen = () => existsSync(path) !== gone;
  const watcher = watch(dirname(path));
  try {
    const change = new Promise<void>((resolve) => {
      watcher.on("change", () => seen() && resolve());
      // It may have come between the caller's last look and the watch.
      if (seen()) resolve();
    });
    await within(change, `${path} to ${gone ? "go" : "come"}`);
  } finally {
    watcher.close();
  }
}

/** First item that `wanted` accepts, of a stream that is left alone afterwards. */
export async function first<T>(
  stream: AsyncIterable<T>,
  wanted: (item: T) => boolean,
  what: string,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const search = async () => {
    for await (const item of stream) if (wanted(item)) return item;
    throw new Error(`the stream ended without ${what}`);
  };
  return within(search(), what, patienceMs);
}
