import { useState } from "preact/hooks";
import { deploymentCalls } from "../../src/client/deployment.ts";
import type { Account, Bill } from "../../src/core/billing/api.ts";
import type { Budget } from "../../src/core/billing/budget.ts";
import { edgeOf } from "../base/edge.ts";
import { place } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Head, Loaded } from "../parts/basics.tsx";
import { Changing } from "../parts/changing.tsx";
import { Act } from "../parts/dialog.tsx";
import { Table } from "../parts/table.tsx";
import { dollars, figure, grouped } from "../parts/words.ts";

const EVERY_MS = 60_000;

export function UsageView() {
  const { ecosystem } = place.value;
  const calls = deploymentCalls(edgeOf(ecosystem));
  const load = async () => {
    const [account, budget] = await Promise.all([calls.usage(), calls.budget()]);
    return { account, budget };
  };
  const usage = usePolled(`${ecosystem} usage`, load, EVERY_MS);
  return (
    <>
      <Head title="Cost and usage" about="What this ecosystem uses, and what that costs at list prices." />
      <Loaded of={usage}>
        {({ account, budget }) => (
          <>
            <div class="figures">
              <Figure name="Today" bill={account.today} />
              <Figure name="This month" bill={account.month} />
              <Figure name="The month, if it goes on so" bill={account.forecast} />
            </div>
            <BudgetOf
              key={budget.monthly_usd}
              budget={budget}
              forecast={account.forecast.list_usd}
              calls={calls}
              reload={usage.reload}
            />
            <Lines account={account} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Figure({ name, bill }: { readonly name: string; readonly bill: Bill }) {
  return (
    <div class="figure">
      <span class="faint">{name}</span>
      <strong>{dollars(bill.list_usd)}</strong>
      <span class="faint">{dollars(bill.usd)} with the plan</span>
    </div>
  );
}

interface BudgetProps {
  readonly budget: Budget;
  readonly forecast: number;
  readonly calls: ReturnType<typeof deploymentCalls>;
  readonly reload: () => void;
}

const BUDGET_TONES = { none: "calm", within: "good", warned: "warning", exceeded: "critical" } as const;

function BudgetOf({ budget, forecast, calls, reload }: BudgetProps) {
  const { monthly_usd, spent_usd, state, observations } = budget;
  const [typed, setTyped] = useState(monthly_usd === null ? "" : String(monthly_usd));
  const wanted = typed.trim() === "" ? null : Number(typed);
  const valid = wanted === null || wanted > 0;
  return (
    <section aria-label="Budget">
      <h2>Budget of the month</h2>
      <p class="tally">
        <Badge tone={BUDGET_TONES[state] ?? "notice"}>
          {monthly_usd === null ? "no budget" : `${dollars(spent_usd)} of ${dollars(monthly_usd)} spent`}
        </Badge>
        {monthly_usd !== null && forecast > monthly_usd && (
          <Badge tone="warning">the forecast is {dollars(forecast)}</Badge>
        )}
        {observations.taken_one_of > 1 && (
          <Badge tone="warning">
            one of {observations.taken_one_of} observations is taken, {grouped(observations.left_out)} were left out
          </Badge>
        )}
      </p>
      {monthly_usd !== null && (
        <progress
          aria-label="Share of the budget that is spent"
          max={monthly_usd}
          value={Math.min(monthly_usd, spent_usd)}
        />
      )}
      <Changing>
        <p class="tally">
          <label>
            US dollars a month{" "}
            <input
              type="number"
              min="0"
              step="any"
              class="narrow"
              value={typed}
              onInput={({ currentTarget }) => setTyped(currentTarget.value)}
            />
          </label>
          {valid && wanted !== monthly_usd && (
            <Act
              label={wanted === null ? "Remove the budget" : "Set the budget"}
              kind="primary"
              confirm={
                wanted === null
                  ? "Remove the budget? Nothing is sampled any more, whatever it costs."
                  : `Set the budget to ${dollars(wanted)} a month? Beyond it observations are sampled; other signals and tasks never are.`
              }
              run={() => calls.setBudget({ monthly_usd: wanted })}
              done="The budget is set"
              after={reload}
            />
          )}
          {!valid && <span class="problem">▲ Give an amount above 0, or nothing for no budget.</span>}
        </p>
      </Changing>
    </section>
  );
}

function Lines({ account }: { readonly account: Account }) {
  const { allowances, month, today } = account;
  const rows = Object.entries(month.lines);
  if (rows.length === 0) return <Empty title="Nothing has been used yet." />;
  const allowed: Readonly<Record<string, { used: number; included: number | null } | undefined>> = allowances.lines;
  const days: Readonly<Record<string, { used: number } | undefined>> = today.lines;
  return (
    <Table
      label="What was used"
      caption={
        <>
          Plan {account.plan}; its allowance for a {allowances.per} is shared by all ecosystems of the account
        </>
      }
      columns={[
        "What",
        { number: "Today" },
        { number: "This month" },
        "Unit",
        { number: "List price" },
        "Of the allowance",
      ]}
    >
      {rows.map(([name, line]) => {
        const allowance = allowed[name];
        const share =
          allowance === undefined || allowance.included === null ? undefined : allowance.used / allowance.included;
        return (
          <tr key={name}>
            <th scope="row">{name.replaceAll("_", " ")}</th>
            <td class="number">{figure(days[name]?.used ?? 0)}</td>
            <td class="number">{figure(line.used)}</td>
            <td>{line.unit}</td>
            <td class="number">{dollars(line.list_usd)}</td>
            <td>
              {share === undefined ? (
                <span class="faint">no limit</span>
              ) : (
                <>
                  <progress aria-label={`Allowance of ${name}`} max={1} value={Math.min(1, share)} />{" "}
                  <span class="faint">{(share * 100).toFixed(share < 0.1 ? 1 : 0)} %</span>
                </>
              )}
            </td>
          </tr>
        );
      })}
    </Table>
  );
}
