import { inboxCalls } from "../../src/client/inbox.ts";
import { edgeOf } from "../base/edge.ts";
import { to } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Loaded, When } from "../parts/basics.tsx";
import { Act } from "../parts/dialog.tsx";
import { Table } from "../parts/table.tsx";
import { counted } from "../parts/words.ts";

const EVERY_MS = 30_000;

/** Where webhooks of other services come in. */
export function Inbox({ ecosystem }: { readonly ecosystem: string }) {
  const calls = inboxCalls(edgeOf(ecosystem));
  const sources = usePolled(`${ecosystem} inbox`, () => calls.list(), EVERY_MS);
  return (
    <section aria-label="Inbox">
      <Loaded of={sources}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="No other service sends webhooks here.">
              <p>
                <code>ganglion inbox add</code> makes a path for one, such as GitHub, and the secret by which its
                webhooks are known.
              </p>
            </Empty>
          ) : (
            <Table
              label="Sources"
              caption={counted(list.length, "source")}
              columns={["Source", "Sends to", "Known by", "Becomes", "Since", "Actions"]}
            >
              {list.map(({ name, path, verify, signal, description, created_at }) => (
                <tr key={name}>
                  <th scope="row">
                    {name}
                    {description !== null && <div class="faint">{description}</div>}
                  </th>
                  <td class="mono">{path}</td>
                  <td>
                    <Badge tone={verify.kind === "none" ? "calm" : "good"}>
                      {verify.kind === "none" ? "a token" : verify.kind}
                    </Badge>
                    {verify.old_secret_until !== undefined && (
                      <div class="faint">
                        the old secret counts until <When at={verify.old_secret_until} />
                      </div>
                    )}
                  </td>
                  <td>
                    <a href={to("live", undefined, { names: signal })}>{signal}</a>
                  </td>
                  <td>
                    <When at={created_at} />
                  </td>
                  <td>
                    <Act
                      label="Delete"
                      about={name}
                      confirm={`Delete ${name}? What the service sends then is refused.`}
                      run={() => calls.remove(name)}
                      done={`${name} is deleted`}
                      after={sources.reload}
                    />
                  </td>
                </tr>
              ))}
            </Table>
          )
        }
      </Loaded>
    </section>
  );
}
