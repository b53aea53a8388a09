import { signal } from "@preact/signals";

/** When the page began: shown until there is something to show. */
const openedAt = signal(new Date());

export function App() {
  return (
    <main>
      <h1>Ganglion</h1>
      <p>
        Opened at <time dateTime={openedAt.value.toISOString()}>{openedAt.value.toLocaleTimeString()}</time>.
      </p>
    </main>
  );
}
