import { sessionCalls } from "../../src/client/access.ts";
import { callEdge, connection } from "../base/edge.ts";
import { session } from "../base/session.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Loaded, When } from "../parts/basics.tsx";
import { Act } from "../parts/dialog.tsx";
import { Table } from "../parts/table.tsx";
import { counted } from "../parts/words.ts";

const EVERY_MS = 30_000;
const calls = sessionCalls({ call: callEdge });

/** Browsers that are signed in. */
export function Sessions() {
  const sessions = usePolled("sessions", calls.list, EVERY_MS);
  const own = session.value?.session?.id;
  // A session that only reads may end itself and no other.
  const end = (id: string) => () => (id === own ? calls.endCurrent() : calls.end(id));
  return (
    <section aria-label="Sessions">
      <p class="faint">
        A session reads only, unless it was begun with <code>ganglion open --act</code>. It ends with its token.
      </p>
      <Loaded of={sessions}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="No browser is signed in." />
          ) : (
            <Table
              label="Browsers that are signed in"
              caption={counted(list.length, "session")}
              columns={["Session of", "May", "Began", "Used", "Ends", "Actions"]}
            >
              {list.map(({ id, token_name, act, created_at, used_at, expires_at }) => (
                <tr key={id}>
                  <th scope="row">
                    {token_name} {id === own && <span class="pill">this browser</span>}
                  </th>
                  <td>
                    <Badge tone={act ? "warning" : "calm"}>{act ? "act" : "read"}</Badge>
                  </td>
                  <td>
                    <When at={created_at} />
                  </td>
                  <td>
                    <When at={used_at} />
                  </td>
                  <td>
                    <When at={expires_at} />
                  </td>
                  <td>
                    <Act
                      label={id === own ? "Sign out" : "End"}
                      kind="danger"
                      reads={id === own}
                      about={`${token_name}, begun ${created_at}`}
                      run={end(id)}
                      done="The session is over"
                      after={() => {
                        if (id === own) connection.value = "signed-out";
                        else sessions.reload();
                      }}
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
