import { useMemo, useState } from "preact/hooks";
import { introspectionCalls } from "../../src/client/introspection.ts";
import type { Gap, ScannerStatus } from "../../src/core/introspection/api.ts";
import type { GapEvidence } from "../../src/core/introspection/gaps/gap-evidence.ts";
import { edgeOf } from "../base/edge.ts";
import { to } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Facts, Head, Json, Loaded, When } from "../parts/basics.tsx";
import { Act } from "../parts/dialog.tsx";
import { counted, duration, figure, grouped } from "../parts/words.ts";
import { settingOf, type Thresholds, whatIf } from "./evidence.ts";
import { EvidenceChart } from "./evidence-chart.tsx";
import { scaleOf } from "./line-path.ts";

const EVERY_MS = 10_000;

interface GapProps {
  readonly ecosystem: string;
  readonly gap: Gap;
}

export function OneGap({ ecosystem, gap }: GapProps) {
  const {
    name,
    category,
    reason,
    status,
    raised_at,
    last_seen_at,
    resolved_at,
    calm_since,
    signal_id,
    alignment_score,
  } = gap;
  return (
    <>
      <Head title={name} about={<a href={to("gaps")}>All gaps</a>} />
      <p class="sentence">{reason}</p>
      <p class="tally">
        <Badge tone={status === "open" ? "warning" : "good"}>{status}</Badge>
        {calm_since !== undefined && (
          <span>
            calm since <When at={calm_since} />
          </span>
        )}
        {signal_id !== undefined && <a href={to("chain", signal_id)}>What came of it</a>}
      </p>
      <Facts
        of={[
          ["Category", category],
          ["Score", alignment_score.toFixed(2)],
          ["Raised", <When key="r" at={raised_at} />],
          ["Last seen", <When key="l" at={last_seen_at} />],
          ["Resolved", resolved_at && <When key="d" at={resolved_at} />],
        ]}
      />
      <Samples ecosystem={ecosystem} gap={gap} />
      <h2>Evidence as the gap carries it</h2>
      <Json value={gap.metadata} label="Evidence" />
    </>
  );
}

function Samples({ ecosystem, gap }: GapProps) {
  const calls = introspectionCalls(edgeOf(ecosystem));
  const load = async () => {
    const [evidence, scanners] = await Promise.all([calls.gapEvidence(gap.fingerprint), calls.scanners()]);
    return { evidence, scanner: scanners.find(({ category }) => category === gap.category) };
  };
  const loaded = usePolled(`${ecosystem} ${gap.fingerprint} evidence`, load, EVERY_MS);
  return (
    <section aria-label="Samples">
      <Loaded of={loaded}>
        {({ evidence, scanner }) => {
          const { metric, samples, raise, clear, worse, left_out, window_seconds } = evidence;
          if (raise === null || worse === null || samples.length === 0) {
            return (
              <Empty title="The window holds no samples of a single figure with a threshold: what the gap rests on stands below." />
            );
          }
          return (
            <>
              <h2>
                {metric}: {counted(samples.length, "sample")} of the last {duration(window_seconds * 1_000)}
                {left_out > 0 && `, ${grouped(left_out)} older ones left out`}
              </h2>
              <WhatIfThresholds
                key={`${raise} ${clear ?? ""}`}
                evidence={evidence}
                inForce={{ raise, clear: clear ?? raise, worse }}
                scanner={scanner}
                calls={calls}
                reload={loaded.reload}
              />
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

interface WhatIfProps {
  readonly evidence: GapEvidence;
  readonly inForce: Thresholds;
  readonly scanner: ScannerStatus | undefined;
  readonly calls: ReturnType<typeof introspectionCalls>;
  readonly reload: () => void;
}

function WhatIfThresholds({ evidence, inForce, scanner, calls, reload }: WhatIfProps) {
  const { samples, metric } = evidence;
  const { worse } = inForce;
  const unit = evidence.unit ?? "";
  const [raise, setRaise] = useState(inForce.raise);
  const [clear, setClear] = useState(inForce.clear);
  const values = useMemo(() => samples.map(({ value }) => value), [samples]);
  const { low, high } = scaleOf(samples, [inForce.raise, inForce.clear]);
  const step = niceStep(high - low);
  const now = whatIf(values, inForce);
  const then = whatIf(values, { raise, clear, worse });
  const changed = raise !== inForce.raise || clear !== inForce.clear;
  const setting = settingOf(inForce.raise, metric, scanner?.settings ?? {});
  const slider = (label: string, value: number, set: (value: number) => void) => (
    <label class="slider">
      <span>
        {label}: <strong>{figure(value)}</strong> {unit}
      </span>
      <input
        type="range"
        min={Math.floor(low / step) * step}
        max={Math.ceil(high / step) * step}
        step={step}
        value={value}
        onInput={({ currentTarget }) => set(Number(currentTarget.value))}
      />
    </label>
  );
  return (
    <>
      <EvidenceChart samples={samples} raise={raise} clear={clear} label={metric} />
      <div class="tally">
        {slider(`Raised ${worse}`, raise, setRaise)}
        {evidence.clear !== null && slider("Resolved at", clear, setClear)}
      </div>
      <p role="status">
        With these thresholds {then.beyond} of {counted(then.samples, "sample")} lie beyond, and the gap would have been
        raised {counted(then.raised, "time")} and be {then.open ? "open" : "resolved"} now
        {changed
          ? ` (in force: ${now.beyond} beyond, raised ${counted(now.raised, "time")}).`
          : ": these are in force."}
      </p>
      {changed && setting !== undefined && scanner !== undefined && (
        <Act
          label="Set these thresholds"
          kind="primary"
          confirm={`Set ${setting.name} to ${figure(raise)}${setting.clearName === undefined ? "" : ` and ${setting.clearName} to ${figure(clear)}`} for the scanner ${scanner.id}?`}
          run={() =>
            calls.changeScanner(scanner.id, {
              settings: {
                [setting.name]: raise,
                ...(setting.clearName === undefined ? {} : { [setting.clearName]: clear }),
              },
            })
          }
          done="The thresholds are in force"
          after={reload}
        />
      )}
      {changed && (
        <button
          type="button"
          onClick={() => {
            setRaise(inForce.raise);
            setClear(inForce.clear);
          }}
        >
          Back to those in force
        </button>
      )}
    </>
  );
}

/** A step of which about a hundred lie in the range. */
function niceStep(span: number): number {
  const rough = span <= 0 ? 1 : span / 100;
  return 10 ** Math.floor(Math.log10(rough));
}
