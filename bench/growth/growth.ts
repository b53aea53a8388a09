import { type EdgeUnderTest, startEdgeUnderTest } from "../edge-under-test.ts";
import { type Report, rounded } from "../figure.ts";
import { type Axis, axes } from "./axes.ts";
import { medianMs } from "./probes.ts";

const SIGNALS = Number(process.env.GANGLION_SIGNALS ?? 1_000_000);

/**
 * What calls take by how much there is of one thing, each on an edge of its own. `GANGLION_SIGNALS`: how many signals are the
 * most, default a million; `GANGLION_AXES`: names of curves, with commas, default all.
 */
export async function growth(_edge: EdgeUnderTest, report: Report): Promise<void> {
  const wanted = process.env.GANGLION_AXES?.split(",");
  for (const axis of axes(SIGNALS)) if (wanted?.includes(axis.name) ?? true) await curve(axis, report);
}

async function curve({ name, points, probes, grow }: Axis, report: Report): Promise<void> {
  const edge = await startEdgeUnderTest({
    GANGLION_QUOTA_ECOSYSTEMS: "2000",
    GANGLION_QUOTA_LINKS: "2000",
    GANGLION_QUOTA_HOSTS: "2000",
  });
  try {
    const measured = new Map(probes.map((probe) => [probe, [] as number[]]));
    let at = 0;
    for (const point of points) {
      if (point > at) await grow(edge, at, point);
      at = point;
      for (const [probe, millis] of measured) millis.push(await medianMs(probe, edge));
    }
    for (const [probe, millis] of measured)
      report({
        bench: "growth",
        figure: `${name}_${probe.name}`,
        value: rounded((millis.at(-1) ?? Number.NaN) / (millis[0] ?? Number.NaN)),
        unit: `times from ${points[0]} to ${points.at(-1)} ${name.replaceAll("_", " ")}`,
        compared_with: Object.fromEntries(
          points.map((point, place) => [`ms_at_${point}`, millis[place] ?? Number.NaN]),
        ),
      });
  } finally {
    await edge.stop();
  }
}
