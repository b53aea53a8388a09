import type { GapEvidence } from "../../src/core/introspection/gaps/gap-evidence.ts";
import { clock, figure } from "../parts/words.ts";
import { linePath, scaleOf } from "./line-path.ts";

interface EvidenceChartProps {
  readonly samples: GapEvidence["samples"];
  readonly raise: number;
  readonly clear: number;
  readonly label: string;
}

const WIDTH = 800;
const HEIGHT = 180;

/** The samples of a gap and both thresholds. The sentence below says the same in words. */
export function EvidenceChart({ samples, raise, clear, label }: EvidenceChartProps) {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return null;
  const scale = scaleOf(samples, [raise, clear]);
  const line = (value: number) => HEIGHT - scale.y(value) * HEIGHT;
  return (
    <figure class="evidence">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label} from ${clock(first.at).slice(0, 8)} to ${clock(last.at).slice(0, 8)}, between ${figure(scale.low)} and ${figure(scale.high)}; raised at ${figure(raise)}, resolved at ${figure(clear)}`}
      >
        <path class="evidence-line" d={linePath(samples, scale, WIDTH, HEIGHT)} />
        <line class="threshold raise" x1="0" x2={WIDTH} y1={line(raise)} y2={line(raise)} />
        {clear !== raise && <line class="threshold clear" x1="0" x2={WIDTH} y1={line(clear)} y2={line(clear)} />}
      </svg>
      <figcaption class="lane-scale">
        <span>{clock(first.at).slice(0, 8)}</span>
        <span>
          <span class="threshold-key raise" aria-hidden="true" /> raised
          {clear !== raise && (
            <>
              {" "}
              <span class="threshold-key clear" aria-hidden="true" /> resolved
            </>
          )}
        </span>
        <span>{clock(last.at).slice(0, 8)}</span>
      </figcaption>
    </figure>
  );
}
