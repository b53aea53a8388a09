import { useState } from "preact/hooks";
import { signalCalls } from "../../src/client/signals.ts";
import type { Signal } from "../../src/core/signals/signal.ts";
import { edgeOf } from "../base/edge.ts";
import { overview } from "../base/overview.ts";
import { open, place, queryOf, setQuery, to } from "../base/router.ts";
import { Empty, Facts, Head, Json, Trouble, When } from "../parts/basics.tsx";
import { Changing } from "../parts/changing.tsx";
import { ChoiceFilter, TextFilter, Toggle } from "../parts/fields.tsx";
import { VirtualList } from "../parts/virtual-list.tsx";
import { clock, counted, exact, grouped, inLine } from "../parts/words.ts";
import { Publish } from "./publish.tsx";
import { RANGES, useFound } from "./search.ts";
import { openSessionStream } from "./session-stream.ts";
import { useStream } from "./use-stream.ts";

/** Signals that are shown at once. */
const LATEST = 200;

/** Signals by name, as somebody types them: separated by spaces or commas. */
export const patternsOf = (typed: string): string[] => typed.split(/[\s,]+/).filter((pattern) => pattern !== "");

export function LiveView() {
  const { ecosystem } = place.value;
  const [publishing, setPublishing] = useState(false);
  const names = queryOf("names");
  const where = queryOf("where");
  const calls = signalCalls({
    ...edgeOf(ecosystem),
    withRetries: (attempt) => attempt(),
    openStream: openSessionStream,
  });
  return (
    <div class="split-view">
      <Head
        title="Live stream"
        about={
          where === "" ? "Every signal as the log takes it in." : "Signals of the log on which the condition is true."
        }
      >
        <TextFilter name="names" label="Names" hint="Q_*, !OBSERVATION" />
        <TextFilter name="where" label="Where (CEL)" hint="facts.cpu_percent > 90.0" />
        {where === "" ? (
          <Toggle name="paused">Pause</Toggle>
        ) : (
          <ChoiceFilter name="range" label="Range" options={RANGES} />
        )}
        <Changing>
          <button type="button" onClick={() => setPublishing(true)}>
            Publish…
          </button>
        </Changing>
      </Head>
      {where.trim() === "" ? (
        <Stream ecosystem={ecosystem} names={names} calls={calls} />
      ) : (
        <Matching ecosystem={ecosystem} names={names} where={where.trim()} calls={calls} />
      )}
      {publishing && <Publish calls={calls} onClose={() => setPublishing(false)} />}
    </div>
  );
}

type SignalCalls = ReturnType<typeof signalCalls>;

interface FollowFrom {
  readonly after: number | undefined;
  readonly signal: AbortSignal;
  readonly onOpen: () => void;
}

/**
 * The latest signals at once, so that a quiet log shows something, and then those that come. The end of the log is asked for
 * first: what comes between the questions is among the latest, or behind that end.
 */
async function* latestThenLive(calls: SignalCalls, signals: readonly string[], { after, ...rest }: FollowFrom) {
  let from = after;
  if (from === undefined) {
    const end = await calls.signals({ order: "desc", limit: 1 });
    const latest = await calls.signals({ signals, order: "desc", limit: LATEST });
    yield* latest.signals.toReversed();
    from = Math.max(end.signals[0]?.seq ?? 0, latest.signals[0]?.seq ?? 0);
  }
  yield* calls.follow({ after: from, signals, ...rest });
}

function Stream(props: { readonly ecosystem: string; readonly names: string; readonly calls: SignalCalls }) {
  const { ecosystem, names, calls } = props;
  const paused = queryOf("paused") === "1";
  const {
    signals,
    dropped,
    error,
    open: opened,
  } = useStream({
    key: `${ecosystem} ${names}`,
    paused,
    follow: (after, signal, onOpen) => latestThenLive(calls, patternsOf(names), { after, signal, onOpen }),
  });
  const last = signals.at(-1)?.seq;
  const head = overview.value?.value?.log.last;
  const waiting = paused && last !== undefined && head !== undefined ? Math.max(0, head - last) : 0;
  return (
    <>
      <p class="tally" role="status">
        <span class={opened ? "live-dot on" : "live-dot"} aria-hidden="true" />
        {paused
          ? `Paused at ${last ?? "the end"}${waiting > 0 ? `; ${counted(waiting, "signal")} came since, and all will be shown` : ""}`
          : opened
            ? `Live, ${counted(signals.length, "signal")} shown`
            : "Connecting…"}
        {dropped > 0 && <span class="faint">{counted(dropped, "older signal")} left the screen; the log has them</span>}
      </p>
      {error !== undefined && <Trouble error={error} />}
      <SignalList
        signals={signals}
        follow={!paused}
        empty={
          <Empty title="No signal has come since this page was opened.">
            <p>
              Publish one above, or on any machine: <code>ganglion emit HELLO --fact from=me</code>. Older ones: give a
              condition such as <code>true</code>.
            </p>
          </Empty>
        }
      />
    </>
  );
}

interface MatchingProps {
  readonly ecosystem: string;
  readonly names: string;
  readonly where: string;
  readonly calls: SignalCalls;
}

function Matching({ ecosystem, names, where, calls }: MatchingProps) {
  const found = useFound(calls.signals, { ecosystem, names: patternsOf(names), where, range: queryOf("range") });
  const { signals, busy, error, more, looked, failed, firstFailure } = found;
  return (
    <>
      <p class="tally" role="status">
        {busy ? "Searching…" : `${counted(signals.length, "signal")} of ${grouped(looked)} match, newest first`}
        {more !== undefined && !busy && (
          <button type="button" onClick={more}>
            Look further back
          </button>
        )}
        {failed > 0 && (
          <span class="faint">
            on {counted(failed, "signal")} it could not be evaluated: {firstFailure}
          </span>
        )}
      </p>
      {error !== undefined && <Trouble error={error} />}
      <SignalList
        signals={signals}
        follow={false}
        empty={busy || error !== undefined ? null : <Empty title="No signal of this range matches." />}
      />
    </>
  );
}

interface SignalListProps {
  readonly signals: readonly Signal[];
  readonly follow: boolean;
  readonly empty: preact.ComponentChildren;
}

function SignalList({ signals, follow, empty }: SignalListProps) {
  const selected = queryOf("sel");
  const chosen = signals.find(({ seq }) => String(seq) === selected);
  if (signals.length === 0) return <>{empty}</>;
  return (
    <div class={chosen === undefined ? "split" : "split open"}>
      <VirtualList
        items={signals}
        label="Signals"
        keyOf={({ seq }) => String(seq)}
        selected={selected}
        onSelect={(sel) => setQuery({ sel })}
        onOpen={({ id }) => open(to("chain", id))}
        rowClass={() => "signal-row"}
        follow={follow && chosen === undefined}
        row={(one) => (
          <>
            <span class="mono faint">{clock(one.received_at)}</span>
            <strong>{one.signal}</strong>
            <span class="source">{one.source}</span>
            <span class="mono facts-line">{inLine(one.facts)}</span>
          </>
        )}
      />
      {chosen !== undefined && <SignalDetail signal={chosen} />}
    </div>
  );
}

function SignalDetail({ signal }: { readonly signal: Signal }) {
  const { seq, id, source, timestamp, received_at, cause, facts, via } = signal;
  return (
    <aside class="detail" aria-label="The selected signal">
      <h2>{signal.signal}</h2>
      <p class="detail-tools">
        <a class="button primary" href={to("chain", id)}>
          Causes and effects
        </a>
        <button type="button" onClick={() => setQuery({ sel: "" })}>
          Close
        </button>
      </p>
      <Facts
        of={[
          ["Source", source],
          ["Number", seq],
          ["Received", <When key="r" at={received_at} />],
          ["Sent", exact(timestamp)],
          ["Id", <code key="i">{id}</code>],
          [
            "Cause",
            cause === undefined ? (
              "none"
            ) : (
              <a key="c" href={to("chain", cause)}>
                {cause}
              </a>
            ),
          ],
          ["Via", via && `${via.signal} of ${via.ecosystem}`],
        ]}
      />
      <Json value={facts} label="Facts" />
    </aside>
  );
}
