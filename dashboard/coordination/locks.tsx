import { useState } from "preact/hooks";
import type { Lock, LockWait } from "../../src/core/locks/api.ts";
import { inPages } from "../base/in-pages.ts";
import { overview } from "../base/overview.ts";
import { queryOf, to } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Loaded, When } from "../parts/basics.tsx";
import { Changing } from "../parts/changing.tsx";
import { Act } from "../parts/dialog.tsx";
import { TextFilter } from "../parts/fields.tsx";
import { More } from "../parts/more.tsx";
import { Table } from "../parts/table.tsx";
import { counted } from "../parts/words.ts";
import type { Calls } from "./calls.ts";

const EVERY_MS = 5_000;

export function Locks({ ecosystem, calls }: { readonly ecosystem: string; readonly calls: Calls }) {
  const [pages, setPages] = useState(1);
  const text = queryOf("text").trim();
  const locks = usePolled(
    `${ecosystem} locks ${text} ${pages}`,
    async () => {
      let waits: readonly LockWait[] = [];
      let total = 0;
      const held = await inPages<Lock, string>(pages, async (after) => {
        const page = await calls.locks(text, after);
        ({ waits, waits_total: total } = page);
        return { items: page.locks, next: page.next };
      });
      return { ...held, waits, total };
    },
    EVERY_MS,
  );
  return (
    <section aria-label="Locks">
      <div class="head-tools">
        <TextFilter name="text" label="Name" hint="tree:/srv/**" />
      </div>
      <Cycles />
      <Loaded of={locks}>
        {({ items, more, waits, total }) =>
          items.length === 0 && total === 0 ? (
            <Empty title={text === "" ? "No lock is held." : "No lock has this name."} />
          ) : (
            <>
              <Held locks={items} more={more} calls={calls} reload={locks.reload} />
              <More more={more} onMore={() => setPages(pages + 1)} />
              {waits.length > 0 && <Waits waits={waits} total={total} />}
            </>
          )
        }
      </Loaded>
    </section>
  );
}

/** Cycles of waits that were found in the last minutes: the wait that would have closed each was refused. */
function Cycles() {
  const found = (overview.value?.value?.attention.items ?? []).filter(({ kind }) => kind === "lock_cycle");
  return (
    <>
      {found.map(({ id, why, since, chain }) => (
        <p key={id} class="note" role="status">
          ▲ A cycle, whose last wait was refused <When at={since} />: {why}.{" "}
          {chain !== null && <a href={to("chain", chain)}>How it came to this</a>}
        </p>
      ))}
    </>
  );
}

interface HeldProps {
  readonly locks: readonly Lock[];
  readonly more: boolean;
  readonly calls: Calls;
  readonly reload: () => void;
}

function Held({ locks, more, calls, reload }: HeldProps) {
  return (
    <Table
      label="Locks that are held"
      caption={`${counted(locks.length, "lock")}${more ? ", and more" : ""}; the longest held first`}
      columns={["Lock", "Mode", "Holder", "For", { number: "Fence" }, "Held", "Ends", { number: "Waiting" }, "Actions"]}
    >
      {locks.map(({ name, mode, owner, owner_process, task, fence, acquired_at, expires_at, waiting }) => (
        <tr key={fence}>
          <th scope="row">
            <span class="mono" data-walk tabIndex={-1}>
              {name}
            </span>
          </th>
          <td>{mode}</td>
          <td>
            {owner}
            {owner_process !== null && (
              <div class="faint">
                while{" "}
                <a href={to("hosts", owner_process.host, { process: owner_process.process })}>
                  {owner_process.process} on {owner_process.host}
                </a>{" "}
                runs
              </div>
            )}
          </td>
          <td>{task ?? "–"}</td>
          <td class="number">{fence}</td>
          <td>
            <When at={acquired_at} />
          </td>
          <td>
            <When at={expires_at} />
          </td>
          <td class="number">{waiting === 0 ? 0 : <Badge tone="warning">{waiting}</Badge>}</td>
          <td>
            <Changing scope="admin">
              <Act
                label="Release"
                kind="danger"
                about={name}
                confirm={`Release ${name}? ${owner} learns of it when it renews; the first of those who wait has it at once.`}
                run={() => calls.releaseLock(name, fence)}
                done={`${name} is released`}
                after={reload}
              />
            </Changing>
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Waits({ waits, total }: { readonly waits: readonly LockWait[]; readonly total: number }) {
  return (
    <Table
      label="Who waits"
      caption={`${counted(total, "request")} wait, in this order${total > waits.length ? `; the first ${waits.length} shown` : ""}`}
      columns={[{ number: "Place" }, "Owner", "Waits for", "Mode", "Since", "In the way"]}
    >
      {waits.map(({ name, owner, mode, since, blocked_by: by }, place) => (
        <tr key={`${owner} ${name}`}>
          <td class="number">{place + 1}</td>
          <th scope="row">{owner}</th>
          <td class="mono">{name}</td>
          <td>{mode}</td>
          <td>
            <When at={since} />
          </td>
          <td>
            {by === null
              ? "nobody any more"
              : `${by.owner} ${by.fence === null ? "waits for" : "holds"} ${by.name}${by.task === null ? "" : `, for ${by.task}`}`}
          </td>
        </tr>
      ))}
    </Table>
  );
}
