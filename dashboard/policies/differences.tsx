import type { DecisionDifference, Simulated } from "../../src/core/policy/simulated.ts";
import { to } from "../base/router.ts";
import { Badge, Empty, When } from "../parts/basics.tsx";
import { counted, inLine } from "../parts/words.ts";

interface DifferencesProps {
  readonly id: string;
  readonly simulated: Simulated;
  /** The rule was edited since. */
  readonly stale: boolean;
}

const MAX_SHOWN = 100;

/** What would have been decided otherwise. */
export function Differences({ id, simulated, stale }: DifferencesProps) {
  const { signals, outcomes, differences, truncated, through } = simulated;
  const own = outcomes[id] ?? { fired: 0, suppressed: 0, failed: 0 };
  return (
    <section aria-label="Result of the simulation">
      <h2>{counted(differences.length, "decision")} would differ</h2>
      <p class="faint" role="status">
        On {counted(signals, "signal")} the rule fires {own.fired} times, is suppressed {own.suppressed} times, fails{" "}
        {own.failed} times.{" "}
        {truncated && (
          <>
            The range is longer than one simulation takes; it ends <When at={through} />.
          </>
        )}
        {stale && " The rule was edited since: simulate again."}
      </p>
      {differences.length === 0 ? (
        <Empty title="The same decisions as the rules in force." />
      ) : (
        <ul class="differences">
          {differences.slice(0, MAX_SHOWN).map((one) => (
            <Difference key={`${one.rule} ${one.signal.id} ${one.at}`} one={one} />
          ))}
          {differences.length > MAX_SHOWN && <li class="faint">and {differences.length - MAX_SHOWN} more</li>}
        </ul>
      )}
    </section>
  );
}

function Difference({ one }: { readonly one: DecisionDifference }) {
  const { rule, signal, at, before, after } = one;
  return (
    <li>
      <When at={at} /> <strong>{rule}</strong> on <a href={to("chain", signal.id)}>{signal.signal}</a>:{" "}
      <Badge tone={before?.outcome === "fired" ? "good" : "calm"}>{before?.outcome ?? "no decision"}</Badge> →{" "}
      <Badge tone={after?.outcome === "fired" ? "good" : after?.outcome === "failed" ? "critical" : "calm"}>
        {after?.outcome ?? "no decision"}
      </Badge>
      {after?.reason !== undefined && <span class="faint"> {after.reason}</span>}
      {(after?.effects.length ?? 0) > 0 && <div class="mono faint">{inLine(after?.effects, 160)}</div>}
    </li>
  );
}
