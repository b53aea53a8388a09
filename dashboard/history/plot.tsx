import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { clock, figure } from "../parts/words.ts";
import { bandOf, type Frame, frameOf, lineOf, nearest, timeLabel } from "./geometry.ts";
import type { Columns } from "./series.ts";

interface PlotProps {
  readonly name: string;
  readonly columns: Columns;
  /** Id of the table with the same figures. */
  readonly tableId: string;
  readonly onZoom: (fromMs: number, untilMs: number) => void;
}

const HEIGHT = 150;
/** A drag over less than so many pixels is a click. */
const MIN_DRAG = 8;
const KEYS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/** The time, in seconds, at which a reader points: charts of one page show the same moment. */
const moment = signal<number | undefined>(undefined);

/** A line over time, in the band between the lowest and the highest values. A drag over it zooms in. */
export function Plot({ name, columns, tableId, onZoom }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [walked, setWalked] = useState<number | undefined>();
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number } | undefined>();
  const [times, means, lowest, highest] = columns;
  const frame = useMemo(
    () => frameOf(columns, { width, height: HEIGHT, zoneSeconds: new Date().getTimezoneOffset() * -60 }),
    [columns, width],
  );
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const walk = (event: KeyboardEvent) => {
    const step = KEYS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(times.length - 1, (walked ?? times.length - 1) + step));
    setWalked(next);
    moment.value = times[next];
  };
  const placeOf = ({ clientX }: PointerEvent) => clientX - (box.current?.getBoundingClientRect().left ?? 0);
  const begin = (event: PointerEvent) => {
    if (event.button !== 0) return;
    box.current?.setPointerCapture(event.pointerId);
    setDrag({ from: placeOf(event), to: placeOf(event) });
  };
  const move = (event: PointerEvent) => {
    const to = placeOf(event);
    moment.value = frame.timeAt(to);
    if (drag !== undefined) setDrag({ from: drag.from, to });
  };
  const end = () => {
    setDrag(undefined);
    if (drag === undefined || Math.abs(drag.to - drag.from) < MIN_DRAG) return;
    const [from, until] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)].map(frame.timeAt);
    onZoom((from ?? 0) * 1_000, (until ?? 0) * 1_000);
  };
  const value = walked === undefined ? undefined : means[walked];
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
        onPointerDown={begin}
        onPointerMove={move}
        onPointerUp={end}
        onPointerCancel={() => setDrag(undefined)}
        onPointerLeave={() => (moment.value = undefined)}
      >
        {width > 0 && (
          <svg width={width} height={HEIGHT} aria-hidden="true">
            <Axes frame={frame} />
            <path class="plot-band" d={bandOf(times, lowest, highest, frame)} />
            <path class="plot-high" d={lineOf(times, columns[4], frame)} />
            <path class="plot-line" d={lineOf(times, means, frame)} />
            {drag !== undefined && (
              <rect
                class="plot-chosen"
                x={Math.min(drag.from, drag.to)}
                width={Math.abs(drag.to - drag.from)}
                y={frame.top}
                height={frame.bottom - frame.top}
              />
            )}
            <Moment columns={columns} frame={frame} />
          </svg>
        )}
      </div>
      <p class="for-readers" aria-live="polite">
        {walked !== undefined &&
          (value === null || value === undefined
            ? "no measurement"
            : `${clock(new Date((times[walked] ?? 0) * 1_000).toISOString()).slice(0, 8)}: ${figure(value)}, from ${figure(lowest[walked] ?? value)} to ${figure(highest[walked] ?? value)}`)}
      </p>
    </>
  );
}

function Axes({ frame }: { readonly frame: Frame }) {
  const { left, right, top, bottom, x, y, timeTicks, valueTicks } = frame;
  return (
    <g class="plot-axes">
      {valueTicks.map((value) => (
        <g key={value}>
          <line x1={left} x2={right} y1={y(value)} y2={y(value)} />
          <text x={left - 6} y={y(value) + 4} text-anchor="end">
            {figure(value)}
          </text>
        </g>
      ))}
      {timeTicks.map((time) => (
        <g key={time}>
          <line x1={x(time)} x2={x(time)} y1={top} y2={bottom} />
          <text x={x(time)} y={bottom + 16} text-anchor="middle">
            {timeLabel(time, frame)}
          </text>
        </g>
      ))}
    </g>
  );
}

/** The point that is nearest to the moment at which a reader points. */
function Moment({ columns: [times, means], frame }: { readonly columns: Columns; readonly frame: Frame }) {
  if (moment.value === undefined) return null;
  const place = nearest(times, moment.value);
  const [time, mean] = [times[place], means[place]];
  if (time === undefined) return null;
  const at = frame.x(time);
  return (
    <g class="plot-moment">
      <line x1={at} x2={at} y1={frame.top} y2={frame.bottom} />
      {mean !== null && mean !== undefined && <circle cx={at} cy={frame.y(mean)} r={3} />}
    </g>
  );
}
