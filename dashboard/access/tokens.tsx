import { useState } from "preact/hooks";
import { tokenCalls } from "../../src/client/access.ts";
import type { TokenRecord } from "../../src/core/access/api.ts";
import { SCOPES, type Scope } from "../../src/core/access/scopes.ts";
import { callEdge } from "../base/edge.ts";
import { place } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Loaded, When } from "../parts/basics.tsx";
import { Changing } from "../parts/changing.tsx";
import { Act, Dialog } from "../parts/dialog.tsx";
import { Field, Form } from "../parts/form.tsx";
import { LongText } from "../parts/long-text.tsx";
import { Table } from "../parts/table.tsx";
import { counted } from "../parts/words.ts";

const EVERY_MS = 30_000;
const calls = tokenCalls({ call: callEdge });

export function Tokens() {
  const tokens = usePolled("tokens", () => calls.list(), EVERY_MS);
  const [adding, setAdding] = useState(false);
  return (
    <section aria-label="Tokens">
      <p class="tally">
        <Changing>
          <button type="button" onClick={() => setAdding(true)}>
            New token…
          </button>
        </Changing>
        <span class="faint">Each program and person gets its own, with no more than it needs.</span>
      </p>
      <Loaded of={tokens}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="Only the administrator's token exists." />
          ) : (
            <TokenTable list={list} reload={tokens.reload} />
          )
        }
      </Loaded>
      {adding && (
        <NewTokenForm
          onClose={() => {
            setAdding(false);
            tokens.reload();
          }}
        />
      )}
    </section>
  );
}

function TokenTable({ list, reload }: { readonly list: readonly TokenRecord[]; readonly reload: () => void }) {
  return (
    <Table
      label="All tokens"
      caption={counted(list.length, "token")}
      columns={["Name", "May", "In", "Created", "Expires", "Actions"]}
    >
      {list.map(({ id, name, scopes, ecosystems, created_at, expires_at }) => (
        <tr key={id}>
          <th scope="row">
            {name}
            <div class="faint mono">{id}</div>
          </th>
          <td>
            {scopes.map((scope) => (
              <Badge key={scope} tone={scope === "admin" ? "warning" : "calm"}>
                {scope}
              </Badge>
            ))}
          </td>
          <td>{ecosystems.join(", ")}</td>
          <td>
            <When at={created_at} />
          </td>
          <td>{expires_at === null ? "never" : <When at={expires_at} />}</td>
          <td>
            <Act
              label="Withdraw"
              kind="danger"
              about={name}
              confirm={`Withdraw the token ${name}? What it has opened is closed, and whoever uses it is refused.`}
              run={() => calls.delete(id)}
              done={`${name} is withdrawn`}
              after={reload}
            />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function NewTokenForm({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>(["signals:read"]);
  const [secret, setSecret] = useState("");
  const create = async () => {
    const { token } = await calls.create({ name, scopes: [...scopes], ecosystems: [place.value.ecosystem] });
    setSecret(token);
  };
  const toggle = (scope: Scope) =>
    setScopes(scopes.includes(scope) ? scopes.filter((one) => one !== scope) : [...scopes, scope]);
  if (secret !== "") {
    return (
      <Dialog title="The token" onClose={onClose}>
        <p>Copy it now: it is not shown again.</p>
        <LongText label="The token">{secret}</LongText>
      </Dialog>
    );
  }
  return (
    <Dialog title={`New token for ${place.value.ecosystem}`} onClose={onClose}>
      <Form label="Create" submit={create} disabled={scopes.length === 0}>
        <Field label="Name: where it is used" required maxLength={128} value={name} onChange={setName} />
        <fieldset>
          <legend>It may</legend>
          {SCOPES.map((scope) => (
            <label key={scope} class="check">
              <input type="checkbox" checked={scopes.includes(scope)} onChange={() => toggle(scope)} /> {scope}
            </label>
          ))}
        </fieldset>
      </Form>
    </Dialog>
  );
}
