import { useState } from "preact/hooks";
import { auditCalls } from "../../src/client/audit.ts";
import type { AuditEntry } from "../../src/core/audit/api.ts";
import { edgeOf } from "../base/edge.ts";
import { queryOf } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Loaded, When } from "../parts/basics.tsx";
import { TextFilter, Toggle } from "../parts/fields.tsx";
import { Wide } from "../parts/wide.tsx";
import { counted } from "../parts/words.ts";
import { deedOf } from "./deed.ts";

const EVERY_MS = 15_000;
const PAGE = 100;

/** Who changed what, the newest first. */
export function Audit({ ecosystem }: { readonly ecosystem: string }) {
  const [pages, setPages] = useState(1);
  const calls = auditCalls(edgeOf(ecosystem));
  const [by, target] = [queryOf("by").trim(), queryOf("target").trim()];
  const ofDeployment = queryOf("deployment") === "1";
  const load = async () => {
    const entries: AuditEntry[] = [];
    let after: number | undefined;
    for (let page = 0; page < pages; page++) {
      const filter = {
        limit: PAGE,
        ...(by === "" ? {} : { by }),
        ...(target === "" ? {} : { target }),
        ...(after === undefined ? {} : { after }),
      };
      const found = await (ofDeployment ? calls.ofDeployment(filter) : calls.here(filter));
      entries.push(...found.entries);
      if (found.next === null) return { entries, more: false };
      after = found.next;
    }
    return { entries, more: true };
  };
  const audit = usePolled(`${ecosystem} audit ${ofDeployment} ${by} ${target} ${pages}`, load, EVERY_MS);
  return (
    <section aria-label="Who did what">
      <div class="head-tools">
        <TextFilter name="by" label="Token" hint="name or id" />
        <TextFilter name="target" label="On what" hint="part of a path" />
        <Toggle name="deployment">Tokens and ecosystems</Toggle>
      </div>
      <Loaded of={audit}>
        {({ entries, more }) =>
          entries.length === 0 ? (
            <Empty title="Nobody has changed anything that matches.">
              <p>Each call that changes something stands here with its token: rules, replays, restarts, budgets.</p>
            </Empty>
          ) : (
            <>
              <Wide label="Changes">
                <table>
                  <caption>{counted(entries.length, "change")}, the newest first</caption>
                  <thead>
                    <tr>
                      <th scope="col">When</th>
                      <th scope="col">Who</th>
                      <th scope="col">Did</th>
                      <th scope="col">How it ended</th>
                    </tr>
                  </thead>
                  <tbody>
                    {entries.map((entry) => (
                      <Row key={entry.number} entry={entry} />
                    ))}
                  </tbody>
                </table>
              </Wide>
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
        {deedOf(entry)}
        <div class="faint mono">{target}</div>
      </td>
      <td>
        <Badge tone={OUTCOME_TONES[outcome] ?? "notice"}>{outcome}</Badge> <span class="faint">{status}</span>
      </td>
    </tr>
  );
}
