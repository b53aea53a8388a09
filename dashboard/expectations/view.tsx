import { policyCalls } from "../../src/client/policy.ts";
import { edgeOf } from "../base/edge.ts";
import { place, queryOf, to } from "../base/router.ts";
import { now } from "../base/time.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Head, Loaded, When } from "../parts/basics.tsx";
import { TextFilter } from "../parts/fields.tsx";
import { Table } from "../parts/table.tsx";
import { counted } from "../parts/words.ts";
import { dueList } from "./due.ts";

const EVERY_MS = 5_000;
const LIMIT = 500;

export function ExpectationsView() {
  const { ecosystem } = place.value;
  const calls = policyCalls(edgeOf(ecosystem));
  const page = usePolled(`${ecosystem} expectations`, () => calls.expectations({ limit: LIMIT }), EVERY_MS);
  const text = queryOf("text").trim().toLowerCase();
  return (
    <>
      <Head title="Expectations and timers" about="Signals that rules wait for; what is next to be late stands first.">
        <TextFilter name="text" label="Filter" hint="rule, signal, key" />
      </Head>
      <Loaded of={page}>
        {({ expectations, total }) => {
          const shown = dueList(expectations, now.value).filter(({ rule, by, signal }) =>
            `${rule} ${by} ${signal.join(" ")}`.toLowerCase().includes(text),
          );
          if (shown.length === 0) {
            return (
              <Empty title={total === 0 ? "No rule waits for a signal." : "Nothing matches this filter."}>
                {total === 0 && (
                  <p>
                    A rule with <code>expect</code> waits after it has fired, and acts when the answer does not come:{" "}
                    <a href={to("policies")}>see the rules</a>.
                  </p>
                )}
              </Empty>
            );
          }
          return (
            <Table
              label="Awaited signals"
              caption={
                <>
                  {counted(total, "signal")} awaited
                  {total > expectations.length && `, the first ${expectations.length} shown`}
                </>
              }
              columns={["Due", "Awaited", "For", "Rule", "Since", "Because of"]}
            >
              {shown.map(({ key, rule, by, signal, since, due, cause, tone, share }) => (
                <tr key={key}>
                  <td>
                    <Badge tone={tone}>
                      <When at={due} />
                    </Badge>
                    <div class="wait-bar thin">
                      <span class={`wait ${tone}`} style={{ width: `${(share * 100).toFixed(0)}%` }} />
                    </div>
                  </td>
                  <th scope="row">{signal.join(", ")}</th>
                  <td class="mono">{by}</td>
                  <td>
                    <a href={to("policies", rule)} data-walk>
                      {rule}
                    </a>
                  </td>
                  <td>
                    <When at={since} />
                  </td>
                  <td>
                    <a href={to("chain", cause.id)}>{cause.signal}</a>
                  </td>
                </tr>
              ))}
            </Table>
          );
        }}
      </Loaded>
    </>
  );
}
