import { policyCalls } from "../../src/client/policy.ts";
import type { Policy } from "../../src/core/policy/api.ts";
import { edgeOf } from "../base/edge.ts";
import { open, place, queryOf, to } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Head, Loaded, When } from "../parts/basics.tsx";
import { Changing } from "../parts/changing.tsx";
import { Act } from "../parts/dialog.tsx";
import { ChoiceFilter, TextFilter } from "../parts/fields.tsx";
import { Table } from "../parts/table.tsx";
import { counted, inLine } from "../parts/words.ts";
import { OnePolicy } from "./one-policy.tsx";

const EVERY_MS = 15_000;

export function PoliciesView() {
  const { ecosystem, id } = place.value;
  if (id !== undefined) return <OnePolicy key={`${ecosystem}/${id}`} ecosystem={ecosystem} id={id} />;
  return <PolicyList ecosystem={ecosystem} />;
}

function PolicyList({ ecosystem }: { readonly ecosystem: string }) {
  const calls = policyCalls(edgeOf(ecosystem));
  const rules = usePolled(`${ecosystem} policies`, () => calls.list(), EVERY_MS);
  const text = queryOf("text").trim().toLowerCase();
  const which = queryOf("which");
  return (
    <>
      <Head
        title="Policies"
        about="Rules decide on signals. Edit one, simulate it on the log, look at what would differ, and apply it."
      >
        <TextFilter name="text" label="Filter" hint="rule, signal" />
        <ChoiceFilter
          name="which"
          label="Which"
          options={[["", "all"], "own", ["changed", "changed built-in"], ["off", "switched off"], "quarantined"]}
        />
        <Changing>
          <button type="button" onClick={() => open(to("policies", "new-rule", { new: "1" }))}>
            New rule
          </button>
        </Changing>
      </Head>
      <Loaded of={rules}>
        {(list) => {
          const shown = list.filter(
            (rule) =>
              isWanted(rule, which) &&
              `${rule.id} ${rule.description} ${rule.when.join(" ")}`.toLowerCase().includes(text),
          );
          return shown.length === 0 ? (
            <Empty title="No rule matches this filter." />
          ) : (
            <Table
              label="Rules"
              caption={counted(shown.length, "rule")}
              columns={["Rule", "Decides on", "State", "Changed", "Actions"]}
            >
              {shown.map((rule) => (
                <Row key={rule.id} rule={rule} calls={calls} reload={rules.reload} />
              ))}
            </Table>
          );
        }}
      </Loaded>
    </>
  );
}

function isWanted(rule: Policy, which: string): boolean {
  if (which === "own") return !rule.built_in;
  if (which === "changed") return rule.modified;
  if (which === "off") return !rule.enabled;
  return which !== "quarantined" || rule.quarantined !== undefined;
}

interface RowProps {
  readonly rule: Policy;
  readonly calls: ReturnType<typeof policyCalls>;
  readonly reload: () => void;
}

function Row({ rule, calls, reload }: RowProps) {
  const { id, description, when, enabled, quarantined, built_in, modified, version, changed_at, changed_by } = rule;
  return (
    <tr>
      <th scope="row">
        <a href={to("policies", id)} data-walk>
          {id}
        </a>
        <div class="faint">{inLine(description, 100)}</div>
      </th>
      <td class="mono">{when.join(", ")}</td>
      <td>
        {quarantined !== undefined ? (
          <Badge tone="critical">quarantined</Badge>
        ) : (
          <Badge tone={enabled ? "good" : "calm"}>{enabled ? "in force" : "off"}</Badge>
        )}{" "}
        <span class="faint">{built_in ? (modified ? "built-in, changed" : "built-in") : "own"}</span>
      </td>
      <td>
        version {version}, <When at={changed_at} />
        {changed_by !== null && <div class="faint">by {changed_by}</div>}
      </td>
      <td>
        <Act
          label={enabled ? "Switch off" : "Switch on"}
          about={id}
          confirm={enabled ? `Switch off ${id}? It decides on no signal until it is switched on.` : undefined}
          run={() => calls.enable(id, !enabled)}
          done={`${id} is ${enabled ? "off" : "in force"}`}
          after={reload}
        />
      </td>
    </tr>
  );
}
