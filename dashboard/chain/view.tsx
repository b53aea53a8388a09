import { useMemo } from "preact/hooks";
import { policyCalls } from "../../src/client/policy.ts";
import { signalCalls } from "../../src/client/signals.ts";
import type { Lineage } from "../../src/core/lineage/api.ts";
import type { Decision } from "../../src/core/policy/decision.ts";
import { edgeOf } from "../base/edge.ts";
import { open, place, queryOf, setQuery, to } from "../base/router.ts";
import { ONCE, usePolled } from "../base/use-polled.ts";
import { openSessionStream } from "../live/session-stream.ts";
import { Badge, Empty, Facts, Head, Json, Loaded, When } from "../parts/basics.tsx";
import { VirtualList } from "../parts/virtual-list.tsx";
import { counted, duration, inLine } from "../parts/words.ts";
import { type Chain, type ChainRow, chainOf } from "./chain.ts";
import { Lanes } from "./lanes.tsx";
import { whyNot } from "./why-not.ts";

export function ChainView() {
  const { ecosystem, id } = place.value;
  if (id === undefined) return <FindSignal />;
  return <OneChain ecosystem={ecosystem} id={id} />;
}

function FindSignal() {
  return (
    <>
      <Head title="Chain of a signal" />
      <Empty title="Which signal?">
        <p>
          Choose one in the <a href={to("live")}>live stream</a>, or press <kbd>Ctrl K</kbd> and paste its id.
        </p>
      </Empty>
    </>
  );
}

function OneChain({ ecosystem, id }: { readonly ecosystem: string; readonly id: string }) {
  const edge = edgeOf(ecosystem);
  const calls = signalCalls({ ...edge, withRetries: (attempt) => attempt(), openStream: openSessionStream });
  const lineage = usePolled(`${ecosystem} ${id}`, () => calls.lineage(id), ONCE);
  return (
    <Loaded of={lineage}>{(value) => <ChainOf lineage={value} ecosystem={ecosystem} reload={lineage.reload} />}</Loaded>
  );
}

interface ChainProps {
  readonly lineage: Lineage;
  readonly ecosystem: string;
  readonly reload: () => void;
}

function ChainOf({ lineage, ecosystem, reload }: ChainProps) {
  const chain = useMemo(() => chainOf(lineage), [lineage]);
  const { signal, truncated, missing_cause, upstream = [] } = lineage;
  const selected = queryOf("sel") || signal.id;
  const chosen = chain.rows.find(({ key }) => key === selected);
  return (
    <div class="split-view">
      <Head
        title={signal.signal}
        about={
          <>
            from {signal.source}, <When at={signal.received_at} />; {counted(chain.rows.length, "step")} over{" "}
            {duration(chain.untilMs - chain.fromMs)}
          </>
        }
      >
        <button type="button" onClick={reload}>
          Look again
        </button>
      </Head>
      {truncated && <p class="note">◆ The chain is longer than one answer holds: its end is missing.</p>}
      {missing_cause !== undefined && (
        <p class="note">◆ The chain began with {missing_cause}, which the log does not hold any more.</p>
      )}
      {upstream.map((part) => (
        <p key={part.ecosystem} class="note">
          ● It came from the ecosystem {part.ecosystem}, by{" "}
          <a href={`/app/${encodeURIComponent(part.ecosystem)}/chain/${encodeURIComponent(part.via.id)}`}>
            {part.via.signal}
          </a>
          .
        </p>
      ))}
      <Lanes chain={chain} selected={selected} onSelect={(sel) => setQuery({ sel })} />
      <div class={chosen === undefined ? "split" : "split open"}>
        <VirtualList
          items={chain.rows}
          label="Causes and effects, each below its cause"
          keyOf={({ key }) => key}
          selected={selected}
          onSelect={(sel) => setQuery({ sel })}
          onOpen={(row) => row.signal !== undefined && open(to("chain", row.signal))}
          rowClass={({ asked }) => (asked ? "chain-row asked" : "chain-row")}
          row={(row) => <ChainLine row={row} chain={chain} />}
        />
        {chosen !== undefined && (
          <StepDetail row={chosen} lineage={lineage} ecosystem={ecosystem} key={`${ecosystem} ${chosen.key}`} />
        )}
      </div>
    </div>
  );
}

/** Steps in from the left beyond which deeper lines are not indented. */
const MAX_INDENT = 24;

function ChainLine({ row, chain }: { readonly row: ChainRow; readonly chain: Chain }) {
  const { depth, kind, title, lane, detail, state, atMs, decisions } = row;
  const fired = decisions.filter(({ outcome }) => outcome === "fired").length;
  return (
    <>
      <span class="mono faint offset">{atMs === undefined ? "" : `+${duration(atMs - chain.fromMs)}`}</span>
      <span class="indent" style={{ width: `${Math.min(depth, MAX_INDENT) * 14}px` }} aria-hidden="true" />
      <span class="faint">{depth > 0 ? "└" : "┌"}</span>
      {kind !== "signal" && <Badge tone={state}>{kind}</Badge>}
      <strong>{title}</strong>
      <span class="source">{lane}</span>
      {decisions.length > 0 && (
        <span class="pill">
          {fired} of {counted(decisions.length, "rule")} fired
        </span>
      )}
      <span class="mono facts-line">{inLine(detail)}</span>
    </>
  );
}

interface StepProps {
  readonly row: ChainRow;
  readonly lineage: Lineage;
  readonly ecosystem: string;
}

function StepDetail({ row, lineage, ecosystem }: StepProps) {
  const signal = [...lineage.causes, lineage.signal, ...lineage.effects].find(({ id }) => id === row.signal);
  return (
    <aside class="detail" aria-label="The selected step">
      <h2>{row.title}</h2>
      {signal === undefined ? (
        <Facts
          of={[
            ["Kind", row.kind],
            ["Where", row.lane],
            ["How it stands", row.detail],
          ]}
        />
      ) : (
        <>
          <Facts
            of={[
              ["Source", signal.source],
              ["Received", <When key="r" at={signal.received_at} />],
              ["Id", <code key="i">{signal.id}</code>],
            ]}
          />
          <Json value={signal.facts} label="Facts" />
          <h3>Decisions</h3>
          {row.decisions.length === 0 && <p class="faint">No rule decided on this signal.</p>}
          {row.decisions.map((decision) => (
            <DecisionMade key={decision.id} decision={decision} />
          ))}
          <WhyNotList ecosystem={ecosystem} signal={signal} decisions={row.decisions} />
        </>
      )}
    </aside>
  );
}

const OUTCOME_TONES = { fired: "good", suppressed: "calm", failed: "critical" } as const;

/** What a rule decided, with the values that it saw. */
function DecisionMade({ decision }: { readonly decision: Decision }) {
  const { rule, rule_version, outcome, reason, values, asked } = decision;
  return (
    <div class="decision">
      <p>
        <Badge tone={OUTCOME_TONES[outcome] ?? "notice"}>{outcome}</Badge> <a href={to("policies", rule)}>{rule}</a>{" "}
        <span class="faint">version {rule_version}</span>
      </p>
      {reason !== undefined && <p>{reason}</p>}
      {asked !== undefined && (
        <p>
          Asked {asked.model}: {asked.choice ?? asked.state}
          {asked.reason !== undefined && `, because ${asked.reason}`}
        </p>
      )}
      {Object.keys(values).length > 0 && (
        <Facts of={Object.entries(values).map(([name, value]) => [name, <code key={name}>{inLine(value)}</code>])} />
      )}
    </div>
  );
}

interface WhyNotProps {
  readonly ecosystem: string;
  readonly signal: Lineage["signal"];
  readonly decisions: readonly Decision[];
}

/** Why other rules did not fire. Asked for only when somebody wants to know. */
function WhyNotList({ ecosystem, signal, decisions }: WhyNotProps) {
  const asked = queryOf("why") === "1";
  if (!asked) {
    return (
      <button type="button" onClick={() => setQuery({ why: "1" })}>
        Why not another rule?
      </button>
    );
  }
  return <WhyNotRules ecosystem={ecosystem} signal={signal} decisions={decisions} />;
}

function WhyNotRules({ ecosystem, signal, decisions }: WhyNotProps) {
  const rules = usePolled(`${ecosystem} rules`, () => policyCalls(edgeOf(ecosystem)).list(), ONCE);
  return (
    <Loaded of={rules}>
      {(list) => {
        const quiet = whyNot(signal, list, decisions).filter(({ fired }) => !fired);
        return (
          <>
            <h3>Why {counted(quiet.length, "rule")} did not fire</h3>
            <ul class="why-not">
              {quiet.map(({ rule, because }) => (
                <li key={rule}>
                  <a href={to("policies", rule)}>{rule}</a>: {because}
                </li>
              ))}
            </ul>
          </>
        );
      }}
    </Loaded>
  );
}
