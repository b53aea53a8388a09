import { introspectionCalls } from "../../src/client/introspection.ts";
import type { Gap } from "../../src/core/introspection/api.ts";
import { edgeOf } from "../base/edge.ts";
import { place, queryOf, to } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Head, Loaded, When } from "../parts/basics.tsx";
import { ChoiceFilter, TextFilter } from "../parts/fields.tsx";
import { Table } from "../parts/table.tsx";
import { counted } from "../parts/words.ts";
import { OneGap } from "./one-gap.tsx";

const EVERY_MS = 10_000;

export function GapsView() {
  const { ecosystem, id } = place.value;
  const calls = introspectionCalls(edgeOf(ecosystem));
  const gaps = usePolled(`${ecosystem} gaps`, () => calls.gaps("all"), EVERY_MS);
  return (
    <Loaded of={gaps}>
      {(list) => {
        if (id === undefined) return <GapList gaps={list} />;
        const gap = list.find(({ fingerprint }) => fingerprint === id) ?? list.find(({ name }) => name === id);
        if (gap === undefined) {
          return (
            <>
              <Head title="Gap" about={<a href={to("gaps")}>All gaps</a>} />
              <Empty title="This gap is not known any more. It was resolved long ago, or never stood here." />
            </>
          );
        }
        return <OneGap key={gap.fingerprint} ecosystem={ecosystem} gap={gap} />;
      }}
    </Loaded>
  );
}

function GapList({ gaps }: { readonly gaps: readonly Gap[] }) {
  const text = queryOf("text").trim().toLowerCase();
  const which = queryOf("which");
  const shown = gaps
    .filter(
      ({ name, category, reason, status }) =>
        (which === "all" || status === (which === "" ? "open" : which)) &&
        `${name} ${category} ${reason}`.toLowerCase().includes(text),
    )
    .sort((a, b) => b.alignment_score - a.alignment_score);
  return (
    <>
      <Head title="Gaps" about="What the scanners find wrong with the fleet, with the evidence.">
        <TextFilter name="text" label="Filter" hint="name, reason" />
        <ChoiceFilter name="which" label="Which" options={[["", "open"], "resolved", "all"]} />
      </Head>
      {shown.length === 0 ? (
        <Empty title={gaps.length === 0 ? "No scanner has found a gap." : "No gap matches this filter."}>
          <p>
            Scanners look at the observations of the last minutes: <a href={to("history")}>see them</a>.
          </p>
        </Empty>
      ) : (
        <Table
          label="Gaps"
          caption={<>{counted(shown.length, "gap")}, the clearest first</>}
          columns={["Gap", "Why", "State", { number: "Score" }, "Raised"]}
        >
          {shown.map(
            ({ fingerprint, name, category, reason, status, alignment_score, raised_at, resolved_at, reopened }) => (
              <tr key={`${fingerprint} ${raised_at}`}>
                <th scope="row">
                  <a href={to("gaps", fingerprint)} data-walk>
                    {name}
                  </a>
                  <div class="faint">{category}</div>
                </th>
                <td>{reason}</td>
                <td>
                  <Badge tone={status === "open" ? "warning" : "good"}>{status}</Badge>
                  {reopened !== undefined && <div class="faint">reopened {reopened} times</div>}
                </td>
                <td class="number">{alignment_score.toFixed(2)}</td>
                <td>
                  <When at={raised_at} />
                  {resolved_at !== undefined && (
                    <div class="faint">
                      resolved <When at={resolved_at} />
                    </div>
                  )}
                </td>
              </tr>
            ),
          )}
        </Table>
      )}
    </>
  );
}
