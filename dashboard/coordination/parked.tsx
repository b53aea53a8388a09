import { overview } from "../base/overview.ts";
import { to } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Empty, Loaded, When } from "../parts/basics.tsx";
import { Table } from "../parts/table.tsx";
import { counted } from "../parts/words.ts";
import { callsOf } from "../queues/calls.ts";
import { parkedOf } from "./limit-use.ts";

const EVERY_MS = 10_000;
/** Looked at: of so many queues in which tasks wait so many tasks each. */
const QUEUES = 10;
const TASKS = 200;
const SHOWN = 50;

/** The tasks that wait for closed limits. Queues know them; limits only tell queues what is closed. */
export function Parked({ ecosystem }: { readonly ecosystem: string }) {
  const calls = callsOf(ecosystem);
  const waiting = (overview.value?.value?.queues ?? []).filter(({ ready }) => ready > 0).map(({ queue }) => queue);
  const looked = waiting.slice(0, QUEUES);
  const parked = usePolled(
    `${ecosystem} parked ${looked.join(" ")}`,
    async () =>
      parkedOf(
        await Promise.all(
          looked.map(
            async (queue) => [queue, (await calls.tasks(queue, { status: "queued", limit: TASKS })).tasks] as const,
          ),
        ),
      ),
    EVERY_MS,
  );
  return (
    <Loaded of={parked}>
      {(all) =>
        all.length === 0 ? (
          <Empty title="No task is parked for a closed limit." />
        ) : (
          <Table
            label="Parked tasks"
            caption={
              <>
                {counted(all.length, "task")} parked, of the first {TASKS} in each of {counted(looked.length, "queue")}
                {all.length > SHOWN && `; the first ${SHOWN} shown`}
              </>
            }
            columns={["Parked task", "Queue", "Until", "Why"]}
          >
            {all.slice(0, SHOWN).map(({ queue, task }) => (
              <tr key={`${queue} ${task.task_id}`}>
                <th scope="row">
                  <a href={to("queues", queue, { sel: task.task_id })}>{task.task_id}</a>
                </th>
                <td>{queue}</td>
                <td>
                  <When at={task.parked_until} />
                </td>
                <td>{task.parked_reason}</td>
              </tr>
            ))}
          </Table>
        )
      }
    </Loaded>
  );
}
