import { useEffect, useRef, useState } from "preact/hooks";
import { type Polled, Poller, type PollerHost } from "./poller.ts";

const browser: PollerHost = {
  hidden: () => document.hidden,
  setTimer: (run, ms) => setTimeout(run, ms),
  clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

/** Asked once, and not again by itself. */
export const ONCE = Number.POSITIVE_INFINITY;

/**
 * Asks for a value while the component is shown and the page is seen.
 *
 * @param key - names what is asked for; with another key the value is forgotten and asked for anew
 */
export function usePolled<Value>(
  key: string,
  load: (signal: AbortSignal) => Promise<Value>,
  everyMs: number,
): Polled<Value> & { readonly reload: () => void } {
  const [state, setState] = useState<Polled<Value> & { key: string }>({ key, value: undefined, error: undefined });
  const latest = useRef(load);
  latest.current = load;
  const poller = useRef<Poller<Value> | undefined>(undefined);
  useEffect(() => {
    const made = new Poller<Value>(
      (signal) => latest.current(signal),
      everyMs,
      (polled) => setState({ ...polled, key }),
      browser,
    );
    poller.current = made;
    const change = () => (document.hidden ? made.pause() : made.wake());
    const back = () => made.reload();
    document.addEventListener("visibilitychange", change);
    addEventListener("online", back);
    made.wake();
    return () => {
      made.stop();
      document.removeEventListener("visibilitychange", change);
      removeEventListener("online", back);
    };
  }, [key, everyMs]);
  const current = state.key === key ? state : { value: undefined, error: undefined };
  return { value: current.value, error: current.error, reload: () => poller.current?.reload() };
}
