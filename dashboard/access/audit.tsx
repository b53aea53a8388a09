import { useState } from "preact/hooks";
import { auditCalls } from "../../src/client/audit.ts";
import type { AuditEntry } from "../../src/core/audit/api.ts";
import { edgeOf } from "../base/edge.ts";
import { inPages } from "../base/in-pages.ts";
import { queryOf } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Loaded, When } from "../parts/basics.tsx";
import { TextFilter, Toggle } from "../parts/fields.tsx";
import { Table } from "../parts/table.tsx";
import { counted } from "../parts/words.ts";
import { changeWords } from "./change-words.ts";

const EVERY_MS = 15_000;
const PAGE = 100;

/** Who changed what, the newest first. */
export function Audit({ ecosystem }: { readonly ecosystem: string }) {
  const [pages, setPages] = useState(1);
  const calls = auditCalls(edgeOf(ecosystem));
  const [by, target] = [queryOf("by").trim(), queryOf("target").trim()];
  const ofDeployment = queryOf("deployment") === "1";
  const load = () =>
    inPages<AuditEntry, number>(pages, async (after) => {
      const filter = {
        limit: PAGE,
        ...(by === "" ? {} : { by }),
        ...(target === "" ? {} : { target }),
        ...(after === undefined ? {} : { after }),
      };
      const { entries: items, next } = await (ofDeployment ? calls.ofDeployment(filter) : calls.here(filter));
      return { items, next };
    });
  const audit = usePolled(`${ecosystem} audit ${ofDeployment} ${by} ${target} ${pages}`, load, EVERY_MS);
  return (
    <section aria-label="Who did what">
      <div class="head-tools">
        <TextFilter name="by" label="Token" hint="name or id" />
        <TextFilter name="target" label="On what" hint="part of a path" />
        <Toggle name="deployment">Tokens and ecosystems</Toggle>
      </div>
      <Loaded of={audit}>
        {({ items: entries, more }) =>
          entries.length === 0 ? (
            <Empty title="Nobody has changed anything that matches.">
              <p>Each call that changes something stands here with its token: rules, replays, restarts, budgets.</p>
            </Empty>
          ) : (
            <>
              <Table
                label="Changes"
                caption={<>{counted(entries.length, "change")}, the newest first</>}
                columns={["When", "Who", "Did", "How it ended"]}
              >
                {entries.map((entry) => (
                  <Row key={entry.number} entry={entry} />
                ))}
              </Table>
              {more && (
                <button type="button" onClick={() => setPages(pages + 1)}>
                  Load more
                </button>
              )}
            </>
          )
        }
      </Loaded>
    </section>
  );
}

const OUTCOME_TONES = { done: "good", refused: "warning", failed: "critical" } as const;

function Row({ entry }: { readonly entry: AuditEntry }) {
  const { at, by, by_id, target, status, outcome } = entry;
  return (
    <tr>
      <td>
        <When at={at} />
      </td>
      <th scope="row">
        {by}
        <div class="faint mono">{by_id}</div>
      </th>
      <td>
        {changeWords(entry)}
        <div class="faint mono">{target}</div>
      </td>
      <td>
        <Badge tone={OUTCOME_TONES[outcome] ?? "notice"}>{outcome}</Badge> <span class="faint">{status}</span>
      </td>
    </tr>
  );
}
