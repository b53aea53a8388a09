import { useMemo } from "preact/hooks";
import { introspectionCalls } from "../../src/client/introspection.ts";
import { edgeOf } from "../base/edge.ts";
import { place, queryOf, setQuery } from "../base/router.ts";
import { ONCE, usePolled } from "../base/use-polled.ts";
import { Empty, Head, Loaded } from "../parts/basics.tsx";
import { ChoiceFilter, TextFilter, Toggle } from "../parts/fields.tsx";
import { exact } from "../parts/words.ts";
import { Chart } from "./chart.tsx";
import { metricsIn, RANGES, type Range, rangeOf, stepOf } from "./series.ts";

/** Charts are drawn anew so often; a fixed range does not change. */
const EVERY_MS = 30_000;
/** Observations from which the names of metrics are taken. */
const LOOKED_AT = 500;
/** The longest window that there is. */
const LOOKED_BACK_SECONDS = 3_600;
/** Charts of one page; a filter finds the others. */
const MAX_CHARTS = 12;

export function HistoryView() {
  const { ecosystem, query } = place.value;
  const calls = introspectionCalls(edgeOf(ecosystem));
  const metrics = usePolled(
    `${ecosystem} metrics`,
    async () => metricsIn((await calls.observations({ seconds: LOOKED_BACK_SECONDS, limit: LOOKED_AT })).observations),
    ONCE,
  );
  const named = queryOf("metric");
  const range = rangeOf(query, Date.now());
  return (
    <>
      <Head
        title="History"
        about={range.fixed ? `${exact(range.fromMs)} to ${exact(range.untilMs)}` : "Drag over a chart to look closer."}
      >
        <TextFilter name="metric" label="Metric" hint="cpu" />
        <TextFilter name="reporter" label="Reporter" hint="all together" />
        <ChoiceFilter
          name="range"
          label="Range"
          options={[["", "1 h"], ...RANGES.filter(([value]) => value !== "60")]}
        />
        {range.fixed && (
          <button type="button" onClick={() => setQuery({ since: "", until: "" })}>
            Zoom out
          </button>
        )}
        <Toggle name="table">As a table</Toggle>
      </Head>
      <Loaded of={metrics}>
        {(names) => {
          const wanted = names.filter((name) => name.includes(named.trim()));
          // A metric that no recent observation has may still have a history.
          const shown = wanted.length === 0 && named.trim() !== "" ? [named.trim()] : wanted.slice(0, MAX_CHARTS);
          if (shown.length === 0) {
            return (
              <Empty title="No observation has come yet.">
                <p>
                  Agents sample their hosts; programs emit <code>OBSERVATION</code> with figures in their facts.
                </p>
              </Empty>
            );
          }
          return (
            <>
              <div class="charts">
                {shown.map((metric) => (
                  <Metric key={metric} ecosystem={ecosystem} metric={metric} range={range} />
                ))}
              </div>
              {wanted.length > MAX_CHARTS && (
                <p class="faint">{wanted.length - MAX_CHARTS} more metrics: give a part of a name above.</p>
              )}
            </>
          );
        }}
      </Loaded>
    </>
  );
}

function Metric({
  ecosystem,
  metric,
  range,
}: {
  readonly ecosystem: string;
  readonly metric: string;
  readonly range: Range;
}) {
  const { query } = place.value;
  const reporter = queryOf("reporter").trim();
  const calls = introspectionCalls(edgeOf(ecosystem));
  const series = usePolled(
    `${ecosystem} ${metric} ${reporter} ${query.since ?? ""} ${query.until ?? ""} ${query.range ?? ""}`,
    () => {
      const { fromMs, untilMs } = rangeOf(query, Date.now());
      return calls.history({
        metric,
        ...(reporter === "" ? {} : { reporter }),
        since: new Date(fromMs).toISOString(),
        until: new Date(untilMs).toISOString(),
        step: stepOf({ fromMs, untilMs }),
      });
    },
    range.fixed ? ONCE : EVERY_MS,
  );
  const zoom = useMemo(
    () => (fromMs: number, untilMs: number) =>
      setQuery({ since: new Date(fromMs).toISOString(), until: new Date(untilMs).toISOString() }),
    [],
  );
  return (
    <Loaded of={series}>{(page) => <Chart page={page} asTable={queryOf("table") === "1"} onZoom={zoom} />}</Loaded>
  );
}
