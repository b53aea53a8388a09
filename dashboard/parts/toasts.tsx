import { signal } from "@preact/signals";
import { reasonOf } from "./words.ts";

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly failed: boolean;
}

const SHOWN_MS = 6_000;
const MAX_SHOWN = 4;

const toasts = signal<readonly Toast[]>([]);
let lastId = 0;

function show(text: string, failed: boolean): void {
  lastId += 1;
  const toast = { id: lastId, text, failed };
  toasts.value = [...toasts.value, toast].slice(-MAX_SHOWN);
  // What failed stays until it is read.
  if (!failed) setTimeout(() => dismiss(toast.id), SHOWN_MS);
}

const dismiss = (id: number) => {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
};

export const notify = (text: string): void => show(text, false);
export const notifyFailure = (what: string, error: unknown): void => show(`${what}: ${reasonOf(error)}`, true);

/** Results of actions, read aloud as they come. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, failed }) => (
        <div key={id} class={failed ? "toast failed" : "toast"}>
          <span>
            {failed ? "▲ " : "✓ "}
            {text}
          </span>
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => dismiss(id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
