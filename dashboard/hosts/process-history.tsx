import { signalCalls } from "../../src/client/signals.ts";
import type { Signal } from "../../src/core/signals/signal.ts";
import { edgeOf } from "../base/edge.ts";
import { to } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { openSessionStream } from "../live/session-stream.ts";
import { Loaded, When } from "../parts/basics.tsx";
import { inLine } from "../parts/words.ts";

const EVERY_MS = 15_000;
const PAGE = 500;
const MAX_SHOWN = 50;

interface HistoryProps {
  readonly ecosystem: string;
  readonly host: string;
  readonly name: string;
}

/** What the log tells of a process: starts, ends, hangs. */
export function ProcessHistory({ ecosystem, host, name }: HistoryProps) {
  const calls = signalCalls({
    ...edgeOf(ecosystem),
    withRetries: (attempt) => attempt(),
    openStream: openSessionStream,
  });
  const events = usePolled(
    `${ecosystem} ${host} ${name} events`,
    async () =>
      eventsOf((await calls.signals({ signals: ["Q_PROCESS_*"], order: "desc", limit: PAGE })).signals, host, name),
    EVERY_MS,
  );
  return (
    <section aria-label={`Events of ${name}`}>
      <h3>Events</h3>
      <Loaded of={events}>
        {(list) =>
          list.length === 0 ? (
            <p class="faint">The log tells nothing of it yet: starts, crashes and hangs will stand here.</p>
          ) : (
            <ol class="events">
              {list.map(({ seq, id, signal, received_at, facts }) => (
                <li key={seq}>
                  <When at={received_at} /> <a href={to("chain", id)}>{signal}</a>{" "}
                  <span class="faint">{inLine(facts.reason ?? facts.detail ?? facts.why ?? "", 120)}</span>
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
    </section>
  );
}

const eventsOf = (signals: readonly Signal[], host: string, name: string): Signal[] =>
  signals.filter(({ facts }) => facts.host === host && facts.agent === name).slice(0, MAX_SHOWN);
