import { useState } from "preact/hooks";
import { NoAnswer } from "../../src/client/answers/no-answer.ts";
import type { AttentionItem } from "../../src/core/attention/api.ts";
import { callEdge } from "../base/edge.ts";
import { overview, reloadOverview } from "../base/overview.ts";
import { queryOf, to } from "../base/router.ts";
import { Badge, Empty, Head, When } from "../parts/basics.tsx";
import { Act } from "../parts/dialog.tsx";
import { ChoiceFilter, TextFilter } from "../parts/fields.tsx";
import { OverviewState } from "../parts/overview-state.tsx";
import { counted } from "../parts/words.ts";
import { effectText, pathParts, placeOf, sumOf, toneOf, wantedItems } from "./order.ts";

/** Effects that are shown before somebody asks for all. */
const FEW = 3;

export function AttentionView() {
  return (
    <OverviewState>
      {({ attention }) => {
        const filter = { text: queryOf("text"), severity: queryOf("severity") };
        const items = wantedItems(attention.items, filter);
        const left = attention.total - attention.items.length;
        return (
          <>
            <Head
              title="What needs somebody now"
              about={
                attention.total === 0
                  ? "Nothing does."
                  : `${counted(attention.total, "cause")}: ${sumOf(attention.items)}`
              }
            >
              <TextFilter name="text" label="Filter" hint="host, queue, reason…" />
              <ChoiceFilter name="severity" label="Severity" options={[["", "all"], "critical", "warning", "info"]} />
            </Head>
            {items.length === 0 ? (
              <NothingStands filtered={attention.total > 0} />
            ) : (
              <ol class="matters" aria-label="What needs somebody, most urgent first">
                {items.map((item) => (
                  <Matter key={item.id} item={item} />
                ))}
              </ol>
            )}
            {left > 0 && <p class="faint">{counted(left, "more cause")} are left out; mend those above first.</p>}
          </>
        );
      }}
    </OverviewState>
  );
}

function Matter({ item }: { readonly item: AttentionItem }) {
  const [all, setAll] = useState(false);
  const {
    severity,
    subject,
    what,
    why,
    since,
    consequence,
    next_step,
    action,
    choices = [],
    chain,
    effects,
    effects_total,
  } = item;
  const closer = placeOf(item);
  const shown = all ? effects : effects.slice(0, FEW);
  return (
    <li class={`matter ${toneOf(severity)}`}>
      <div class="matter-head">
        <Badge tone={toneOf(severity)}>{severity}</Badge>
        <h2 tabIndex={-1} data-walk>
          {what}
        </h2>
        <span class="matter-since">{since === null ? "since when is unknown" : <When at={since} />}</span>
      </div>
      <p class="matter-why">{why}</p>
      <p class="faint">If nobody acts: {consequence}</p>
      {effects_total > 0 && (
        <div class="effects">
          <ul aria-label={`What follows from ${subject}`}>
            {shown.map((effect) => (
              <li key={effect}>{effectText(effect)}</li>
            ))}
          </ul>
          {effects_total > shown.length &&
            (all ? (
              <span class="faint">and {effects_total - shown.length} more</span>
            ) : (
              <button type="button" class="quiet" onClick={() => setAll(true)}>
                {counted(effects_total, "effect")} in all
              </button>
            ))}
        </div>
      )}
      <div class="matter-foot">
        {action !== null && action.method !== "GET" && (
          <Act
            label={action.label}
            about={subject}
            kind="primary"
            confirm={`${action.label}? It is done through the API, and recorded with who did it.`}
            run={() => callEdge(NoAnswer, { method: action.method, ...pathParts(action.path), body: action.body })}
            done={`Done: ${action.label}`}
            after={reloadOverview}
          />
        )}
        {choices.map((choice) => (
          <Act
            key={choice.label}
            label={choice.label}
            about={subject}
            confirm={`${choice.label}? "${why}" It counts once, and is recorded with who did it.`}
            run={() => callEdge(NoAnswer, { method: choice.method, ...pathParts(choice.path), body: choice.body })}
            done={`Done: ${choice.label}`}
            after={reloadOverview}
          />
        ))}
        {closer !== undefined && (
          <a class="button" href={to(closer.view, closer.id, closer.query)}>
            {closer.text}
          </a>
        )}
        {chain !== null && <a href={to("chain", chain)}>How it came to this</a>}
        <code class="next-step">{next_step}</code>
      </div>
    </li>
  );
}

function NothingStands({ filtered }: { readonly filtered: boolean }) {
  if (filtered) return <Empty title="Nothing matches this filter." />;
  const hosts = overview.value?.value?.fleet.hosts.length ?? 0;
  return (
    <Empty title="Nothing needs somebody.">
      {hosts === 0 ? (
        <p>
          No host has joined yet: <code>ganglion-agent join</code> on a machine links it to this edge. What is wrong
          with it will stand here, most urgent first.
        </p>
      ) : (
        <p>
          Hosts, queues, rules, webhooks and the budget are watched. <a href={to("live")}>Watch the stream</a>, or{" "}
          <a href={to("fleet")}>see the fleet</a>.
        </p>
      )}
    </Empty>
  );
}
