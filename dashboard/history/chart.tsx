import { useId, useMemo } from "preact/hooks";
import type { HistoryPage } from "../../src/core/introspection/api.ts";
import { clock, counted, exact, figure } from "../parts/words.ts";
import { Plot } from "./plot.tsx";
import { columnsOf } from "./series.ts";

interface ChartProps {
  readonly page: HistoryPage;
  readonly asTable: boolean;
  readonly onZoom: (fromMs: number, untilMs: number) => void;
}

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
