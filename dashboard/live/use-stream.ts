import { useEffect, useRef, useState } from "preact/hooks";
import { isTransient } from "../../src/client/http/retry.ts";
import type { Signal } from "../../src/core/signals/signal.ts";
import { LiveBuffer } from "./live-buffer.ts";

const RETRY_MS = 3_000;

interface StreamState {
  readonly signals: readonly Signal[];
  readonly dropped: number;
  readonly error: unknown;
  readonly open: boolean;
}

interface StreamOptions {
  /** With another key the stream begins anew. */
  readonly key: string;
  readonly paused: boolean;
  /** Signals behind this place, or from now on. */
  readonly follow: (after: number | undefined, signal: AbortSignal, onOpen: () => void) => AsyncIterable<Signal>;
}

/**
 * The newest signals of the log as they come. A pause, and a page that nobody sees, close the stream; it resumes behind the
 * last signal that was shown, so none is missed.
 */
export function useStream({ key, paused, follow }: StreamOptions): StreamState {
  const buffer = useRef(new LiveBuffer());
  const latest = useRef(follow);
  latest.current = follow;
  const shownKey = useRef(key);
  const [hidden, setHidden] = useState(document.hidden);
  const [state, setState] = useState<StreamState>({ signals: [], dropped: 0, error: undefined, open: false });

  useEffect(() => {
    const change = () => setHidden(document.hidden);
    document.addEventListener("visibilitychange", change);
    return () => document.removeEventListener("visibilitychange", change);
  }, []);

  useEffect(() => {
    if (shownKey.current !== key) {
      shownKey.current = key;
      buffer.current = new LiveBuffer();
      setState({ signals: [], dropped: 0, error: undefined, open: false });
    }
    if (paused || hidden) return;
    const stop = new AbortController();
    const held = buffer.current;
    const draw = () => {
      held.flush();
      if (!stop.signal.aborted) setState((before) => ({ ...before, signals: held.signals, dropped: held.dropped }));
    };
    const read = async () => {
      const opened = () => setState((before) => ({ ...before, open: true, error: undefined }));
      const after = held.last === 0 ? undefined : held.last;
      for await (const one of latest.current(after, stop.signal, opened)) {
        // Drawn with the next frame, together with all that come until then.
        if (held.push(one)) requestAnimationFrame(draw);
      }
    };
    let again: ReturnType<typeof setTimeout> | undefined;
    const begin = () => {
      read().catch((error: unknown) => {
        if (stop.signal.aborted) return;
        setState((before) => ({ ...before, error, open: false }));
        // Once it was open the stream comes back by itself; here the very first attempt failed.
        if (isTransient(error)) again = setTimeout(begin, RETRY_MS);
      });
    };
    begin();
    return () => {
      stop.abort();
      clearTimeout(again);
      held.flush();
      setState((before) => ({ ...before, signals: held.signals, open: false }));
    };
  }, [key, paused, hidden]);
  return state;
}
