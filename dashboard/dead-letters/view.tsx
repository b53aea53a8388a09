import { useMemo, useState } from "preact/hooks";
import { deadLetterCalls } from "../../src/client/dead-letters.ts";
import type { DeadLetter } from "../../src/core/dead-letters/dead-letter.ts";
import type { DeadLetterFilter } from "../../src/core/dead-letters/filter.ts";
import { edgeOf } from "../base/edge.ts";
import { inPages } from "../base/in-pages.ts";
import { reloadOverview } from "../base/overview.ts";
import { place, queryOf, setQuery, to } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Facts, Head, Json, Loaded, When } from "../parts/basics.tsx";
import { Bulk } from "../parts/bulk.tsx";
import { Act } from "../parts/dialog.tsx";
import { ChoiceFilter, TextFilter } from "../parts/fields.tsx";
import { VirtualList } from "../parts/virtual-list.tsx";
import { counted, grouped, inLine } from "../parts/words.ts";
import { countMatches, filterOf, replayMatches } from "./filter.ts";
import { type DeadLetterGroup, groupsOf, sharedText } from "./groups.ts";

const EVERY_MS = 10_000;
/** Dead letters of one page, and how many pages are read at first. */
const PAGE = 200;

type Calls = ReturnType<typeof deadLetterCalls>;

export function DeadLettersView() {
  const { ecosystem, query } = place.value;
  const [pages, setPages] = useState(1);
  const calls = deadLetterCalls(edgeOf(ecosystem));
  const filter = filterOf(query);
  const letters = usePolled(
    `${ecosystem} ${JSON.stringify(filter)} ${pages}`,
    () => load(calls, filter, pages),
    EVERY_MS,
  );
  const after = () => {
    letters.reload();
    reloadOverview();
  };
  const filtered = Object.keys(filter).length > 0;
  const what = filtered ? "dead letters that match the filter" : "all dead letters";
  return (
    <div class="split-view">
      <Head title="Dead letters" about="What could not be processed, kept until it is replayed or discarded.">
        <TextFilter name="text" label="Search" hint="error, id, anything in the item" />
        <ChoiceFilter
          name="kind"
          label="Kind"
          options={[
            ["", "all"],
            ["signal", "signals"],
            ["task", "tasks"],
            ["intent", "intents"],
            ["webhook", "webhooks"],
            ["reaction", "reactions"],
          ]}
        />
        <TextFilter name="daemon" label="Given up by" hint="ganglion/*" />
        <TextFilter name="host" label="Host" hint="gpu-01" />
        <Bulk
          label="Replay"
          what={what}
          count={() => countMatches(calls, filter)}
          run={(progress) => replayMatches(calls.replayAll, filter, progress)}
          after={after}
        />
        <Bulk
          label="Discard"
          kind="danger"
          what={what}
          count={() => countMatches(calls, filter)}
          run={(progress) => replayMatches(calls.discardAll, filter, progress)}
          after={after}
        />
      </Head>
      <Loaded of={letters}>
        {({ items: found, more }) => (
          <>
            <Groups letters={found} />
            <Letters letters={found} calls={calls} after={after} filtered={filtered} />
            {more && (
              <p>
                <button type="button" onClick={() => setPages(pages + 5)}>
                  Load more than {grouped(found.length)}
                </button>
              </p>
            )}
          </>
        )}
      </Loaded>
    </div>
  );
}

const load = (calls: Calls, filter: DeadLetterFilter, pages: number) =>
  inPages<DeadLetter, string>(pages, async (after) => {
    const { dead_letters: items, next } = await calls.list({ ...filter, limit: PAGE, after });
    return { items, next };
  });

/** Groups that are shown; the rest are found by a filter. */
const MAX_GROUPS = 12;

function Groups({ letters }: { readonly letters: readonly DeadLetter[] }) {
  const groups = useMemo(() => groupsOf(letters), [letters]);
  if (groups.length < 2) return null;
  return (
    <ul class="groups" aria-label="Grouped by error">
      {groups.slice(0, MAX_GROUPS).map((group) => (
        <li key={group.key}>
          <button type="button" class="group" data-walk onClick={() => select(group)}>
            <strong>{grouped(group.count)}</strong>
            <span class="group-error">{inLine(group.error, 110)}</span>
            <span class="faint">
              {group.kind} of {group.daemon}, last <When at={group.lastAt} />
            </span>
          </button>
        </li>
      ))}
      {groups.length > MAX_GROUPS && <li class="faint">{counted(groups.length - MAX_GROUPS, "smaller group")}</li>}
    </ul>
  );
}

/** A group becomes the filter, so that the bulk actions act on it. */
const select = (group: DeadLetterGroup) =>
  setQuery({ kind: group.kind, daemon: group.daemon, text: sharedText(group), sel: group.members[0]?.id ?? "" });

interface LettersProps {
  readonly letters: readonly DeadLetter[];
  readonly calls: Calls;
  readonly after: () => void;
  readonly filtered: boolean;
}

function Letters({ letters, calls, after, filtered }: LettersProps) {
  const selected = queryOf("sel");
  const chosen = letters.find(({ id }) => id === selected);
  if (letters.length === 0) {
    return (
      <Empty title={filtered ? "No dead letter matches this filter." : "There are no dead letters."}>
        {!filtered && <p>What a rule, a queue, a webhook or a host gives up will be kept here, with the reason.</p>}
      </Empty>
    );
  }
  return (
    <div class={chosen === undefined ? "split" : "split open"}>
      <VirtualList
        items={letters}
        label="Dead letters, newest first"
        keyOf={({ id }) => id}
        selected={selected}
        onSelect={(sel) => setQuery({ sel })}
        rowClass={() => "letter-row"}
        row={(letter) => (
          <>
            <Badge tone="critical">{letter.kind}</Badge>
            <strong class="facts-line">{letter.error}</strong>
            <span class="source">{letter.host ?? letter.daemon}</span>
            <span class="faint">
              <When at={letter.last_failed_at} />
            </span>
          </>
        )}
      />
      {chosen !== undefined && <LetterDetail letter={chosen} calls={calls} after={after} />}
    </div>
  );
}

function LetterDetail({
  letter,
  calls,
  after,
}: Pick<LettersProps, "calls" | "after"> & { readonly letter: DeadLetter }) {
  const { id, kind, error, daemon, host, attempts, first_failed_at, last_failed_at, replay_outcome, lineage } = letter;
  const cause = lineage?.[0];
  return (
    <aside class="detail" aria-label="The selected dead letter">
      <h2>{kind}</h2>
      <p class="detail-tools">
        <Act label="Replay" kind="primary" about={id} run={() => calls.replay(id)} done="Replayed" after={after} />
        <Act
          label="Discard"
          kind="danger"
          about={id}
          confirm={`Discard the dead letter ${id}? What it holds is lost.`}
          run={() => calls.discard(id)}
          done="Discarded"
          after={after}
        />
        {cause !== undefined && <a href={to("chain", cause)}>How it came to this</a>}
        <button type="button" onClick={() => setQuery({ sel: "" })}>
          Close
        </button>
      </p>
      <p class="problem">▲ {error}</p>
      <Facts
        of={[
          ["Given up by", daemon],
          ...(host === undefined
            ? []
            : [
                [
                  "Host",
                  <a key="h" href={to("hosts", host)}>
                    {host}
                  </a>,
                ] as const,
              ]),
          ["Attempts", attempts],
          ["First", <When key="f" at={first_failed_at} />],
          ["Last", <When key="l" at={last_failed_at} />],
          ["Id", <code key="i">{id}</code>],
          ["Last replay", replay_outcome],
        ]}
      />
      <Json value={letter[kind] ?? null} label={`The ${kind}`} />
    </aside>
  );
}
