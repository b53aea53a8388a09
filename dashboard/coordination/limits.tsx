import { useState } from "preact/hooks";
import type { Limit } from "../../src/core/limits/api.ts";
import { queryOf } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Loaded, When } from "../parts/basics.tsx";
import { Changing } from "../parts/changing.tsx";
import { Act, Dialog } from "../parts/dialog.tsx";
import { TextFilter } from "../parts/fields.tsx";
import { Field, Form } from "../parts/form.tsx";
import { More } from "../parts/more.tsx";
import { Table } from "../parts/table.tsx";
import { notify } from "../parts/toasts.tsx";
import { counted } from "../parts/words.ts";
import type { Calls } from "./calls.ts";
import { LIMIT_TONES, usesOf } from "./limit-use.ts";
import { Parked } from "./parked.tsx";

const EVERY_MS = 5_000;
const PAGE = 50;

export function Limits({ ecosystem, calls }: { readonly ecosystem: string; readonly calls: Calls }) {
  const limits = usePolled(`${ecosystem} limits`, calls.limits, EVERY_MS);
  const [pages, setPages] = useState(1);
  const text = queryOf("text").trim().toLowerCase();
  return (
    <section aria-label="Limits">
      <div class="head-tools">
        <TextFilter name="text" label="Filter" hint="name, reason" />
      </div>
      <Loaded of={limits}>
        {(all) => {
          const found = all.filter((one) =>
            `${one.name} ${one.state} ${one.reason ?? ""}`.toLowerCase().includes(text),
          );
          if (found.length === 0)
            return <Empty title={all.length === 0 ? "There is no limit." : "No limit matches this filter."} />;
          const shown = found.slice(0, pages * PAGE);
          return (
            <>
              <Table
                label="All limits"
                caption={counted(found.length, "limit")}
                columns={["Limit", "State", "Used, and reserved", "Actions"]}
              >
                {shown.map((limit) => (
                  <Row key={limit.name} limit={limit} calls={calls} reload={limits.reload} />
                ))}
              </Table>
              <More more={shown.length < found.length} onMore={() => setPages(pages + 1)} />
              {all.some(({ state }) => state === "closed") && <Parked ecosystem={ecosystem} />}
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

interface RowProps {
  readonly limit: Limit;
  readonly calls: Calls;
  readonly reload: () => void;
}

function Row({ limit, calls, reload }: RowProps) {
  const { name, state, closed_until, reason, description } = limit;
  return (
    <tr>
      <th scope="row">
        <span data-walk tabIndex={-1}>
          {name}
        </span>
        {description !== undefined && <div class="faint">{description}</div>}
      </th>
      <td>
        <Badge tone={LIMIT_TONES[state] ?? "notice"}>
          {state}
          {closed_until !== null && (
            <>
              , opens <When at={closed_until} />
            </>
          )}
        </Badge>
        {reason !== null && <div class="faint">{reason}</div>}
      </td>
      <td>
        {usesOf(limit).map(({ what, text, share }) => (
          <div key={what}>
            {share !== undefined && <progress aria-label={`${name}: ${what}`} max={1} value={share} />} {text}{" "}
            <span class="faint">{what}</span>
          </div>
        ))}
      </td>
      <td>
        {state === "open" ? (
          <CloseLimit name={name} calls={calls} reload={reload} />
        ) : (
          <Changing scope="policy:write">
            <Act
              label="Open limit"
              about={name}
              confirm={`Open ${name} at once, and wholly?`}
              run={() => calls.openLimit(name)}
              done={`${name} is open`}
              after={reload}
            />
          </Changing>
        )}
      </td>
    </tr>
  );
}

function CloseLimit({ name, calls, reload }: { readonly name: string } & Pick<RowProps, "calls" | "reload">) {
  const [asking, setAsking] = useState(false);
  const [minutes, setMinutes] = useState("10");
  const [reason, setReason] = useState("");
  const leave = () => setAsking(false);
  const close = async () => {
    await calls.closeLimit(name, Number(minutes), reason.trim());
    leave();
    notify(`${name} is closed`);
    reload();
  };
  return (
    <Changing scope="tasks:work">
      <button type="button" aria-label={`Close limit: ${name}`} onClick={() => setAsking(true)}>
        Close limit
      </button>
      {asking && (
        <Dialog title={`Close ${name}`} onClose={leave}>
          <p>Nobody is granted anything then; tasks that name it are parked.</p>
          <Form label="Close" submit={close} onCancel={leave}>
            <Field label="For how many minutes" required maxLength={5} value={minutes} onChange={setMinutes} />
            <Field label="Why, for people" maxLength={500} value={reason} onChange={setReason} />
          </Form>
        </Dialog>
      )}
    </Changing>
  );
}
