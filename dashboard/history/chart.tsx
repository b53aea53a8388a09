import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { HistoryPage } from "../../src/core/introspection/api.ts";
import { colours } from "../base/theme.ts";
import { clock, counted, exact, figure } from "../parts/words.ts";
import { type Columns, columnsOf } from "./series.ts";

interface ChartProps {
  readonly page: HistoryPage;
  readonly asTable: boolean;
  readonly onZoom: (fromMs: number, untilMs: number) => void;
}

const HEIGHT = 150;
/** A drag over less than so many pixels is a click. */
const MIN_DRAG = 8;

/** One metric over time. The same figures stand in a table, which readers of a screen are led to. */
export function Chart({ page, asTable, onZoom }: ChartProps) {
  const id = useId();
  const columns = useMemo(() => columnsOf(page), [page]);
  const { metric, points, reporters, step_seconds } = page;
  const last = points.at(-1);
  return (
    <figure class="chart">
      <figcaption>
        <strong>{metric}</strong>{" "}
        <span class="faint">
          {last === undefined ? "nothing in this range" : `${figure(last.mean)} now`}
          {reporters.length > 0 && `, ${counted(reporters.length, "reporter")}`}, steps of {step_seconds} s
        </span>
      </figcaption>
      {points.length > 0 && !asTable && <Plot name={metric} columns={columns} tableId={id} onZoom={onZoom} />}
      <div id={id} class={asTable ? "scroll-y" : "for-readers"}>
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col" class="number">
                Mean
              </th>
              <th scope="col" class="number">
                Lowest
              </th>
              <th scope="col" class="number">
                Highest
              </th>
              <th scope="col" class="number">
                95 %
              </th>
              <th scope="col" class="number">
                Count
              </th>
            </tr>
          </thead>
          <tbody>
            {points.map(({ ts, mean, min, max, p95, count }) => (
              <tr key={ts}>
                <th scope="row" title={exact(ts)}>
                  {clock(ts).slice(0, 8)}
                </th>
                <td class="number">{figure(mean)}</td>
                <td class="number">{figure(min)}</td>
                <td class="number">{figure(max)}</td>
                <td class="number">{figure(p95)}</td>
                <td class="number">{count}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

interface PlotProps {
  readonly name: string;
  readonly columns: Columns;
  readonly tableId: string;
  readonly onZoom: ChartProps["onZoom"];
}

function Plot({ name, columns, tableId, onZoom }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [at, setAt] = useState<number | undefined>();
  const palette = colours.value;

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new uPlot(optionsOf(element.clientWidth, palette, onZoom), asData(columns), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
    // The figures are given to the plot below, without making it anew.
  }, [palette, onZoom]);
  useEffect(() => plot.current?.setData(asData(columns)), [columns]);

  const [times, means, lowest, highest] = columns;
  const walk = (event: KeyboardEvent) => {
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      Home: -times.length,
      End: times.length,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(times.length - 1, (at ?? times.length - 1) + step));
    setAt(next);
    const made = plot.current;
    const [time, mean] = [times[next], means[next]];
    if (made !== undefined && time !== undefined) {
      made.setCursor({ left: made.valToPos(time, "x"), top: made.valToPos(mean ?? 0, "y") });
    }
  };
  const value = at === undefined ? undefined : means[at];
  return (
    <>
      <div
        ref={box}
        class="plot"
        role="application"
        aria-roledescription="chart"
        aria-label={`${name} over time; arrow keys walk over its points`}
        aria-details={tableId}
        // Arrow keys walk over the points.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
        tabIndex={0}
        onKeyDown={walk}
      />
      <p class="for-readers" aria-live="polite">
        {at !== undefined &&
          (value === null || value === undefined
            ? "no measurement"
            : `${clock(new Date((times[at] ?? 0) * 1_000).toISOString()).slice(0, 8)}: ${figure(value)}, from ${figure(lowest[at] ?? value)} to ${figure(highest[at] ?? value)}`)}
      </p>
    </>
  );
}

const DAY_SECONDS = 86_400;

/** Times of day, to the second where the marks are closer than a minute; days where the range has several. */
function timeLabels(plot: uPlot, times: number[], _axis: number, _space: number, step: number): string[] {
  const { min = 0, max = 0 } = plot.scales.x ?? {};
  const days = (max ?? 0) - (min ?? 0) > DAY_SECONDS;
  return times.map((time) => {
    const at = new Date(time * 1_000);
    const text = clock(at.toISOString()).slice(0, step < 60 ? 8 : 5);
    return days ? `${at.getDate()}. ${text}` : text;
  });
}

const asData = (columns: Columns): uPlot.AlignedData => [...columns];

type Palette = (typeof colours)["value"];

function optionsOf(width: number, palette: Palette, onZoom: ChartProps["onZoom"]): uPlot.Options {
  const axis = {
    stroke: palette.faint,
    grid: { stroke: palette.line, width: 1 },
    ticks: { stroke: palette.line, width: 1 },
  };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    // Charts of one page show the same moment.
    cursor: {
      sync: { key: "history" },
      drag: { x: true, y: false, setScale: false, dist: MIN_DRAG },
      points: { size: 6 },
    },
    scales: { x: { time: true } },
    axes: [
      { ...axis, size: 28, space: 72, values: timeLabels },
      { ...axis, size: 56, values: (_, values) => values.map(figure) },
    ],
    series: [
      {},
      { stroke: palette.accent, width: 1.5, points: { show: false } },
      { stroke: "transparent", points: { show: false } },
      { stroke: "transparent", points: { show: false } },
      { stroke: palette.faint, width: 1, dash: [3, 3], points: { show: false } },
    ],
    bands: [{ series: [3, 2], fill: palette.band }],
    hooks: {
      setSelect: [
        (made) => {
          const { left, width: chosen } = made.select;
          if (chosen < MIN_DRAG) return;
          onZoom(made.posToVal(left, "x") * 1_000, made.posToVal(left + chosen, "x") * 1_000);
        },
      ],
    },
  };
}
