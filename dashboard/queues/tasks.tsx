import { useState } from "preact/hooks";
import type { TaskView } from "../../src/core/queue/api.ts";
import { queryOf, to } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { actOnEach } from "../parts/act-on-each.ts";
import { Badge, Empty, Facts, Json, Loaded, When } from "../parts/basics.tsx";
import { Bulk } from "../parts/bulk.tsx";
import { Act } from "../parts/dialog.tsx";
import { ChoiceFilter, TextFilter } from "../parts/fields.tsx";
import { CloseDetail, SplitList } from "../parts/split-list.tsx";
import type { Tone } from "../parts/tone.ts";
import { counted, duration, inLine } from "../parts/words.ts";
import { callsOf } from "./calls.ts";
import { wantedTasks } from "./task-filter.ts";
import { loadTasks } from "./task-pages.ts";

const EVERY_MS = 5_000;

const TONES: Readonly<Record<string, Tone>> = {
  complete: "good",
  failed: "critical",
  expired: "critical",
  dropped: "warning",
  cancelled: "calm",
  running: "notice",
  queued: "calm",
};

const standing = ({ outcome, status }: TaskView): string => outcome ?? status;

/** The tasks of a queue: unfinished ones, or those that ended. */
export function Tasks({ ecosystem, queue }: { readonly ecosystem: string; readonly queue: string }) {
  const [pages, setPages] = useState(1);
  const status = queryOf("status");
  const text = queryOf("text");
  const calls = callsOf(ecosystem);
  const loaded = usePolled(
    `${ecosystem} ${queue} ${status} ${text} ${pages}`,
    () => loadTasks(calls, queue, { status, text, pages }),
    EVERY_MS,
  );
  return (
    <section aria-label="Tasks">
      <div class="section-head">
        <h2>Tasks</h2>
        <TextFilter name="text" label="Search" hint="id, recipient, anything in the payload" />
        <ChoiceFilter
          name="status"
          label="Status"
          options={[
            ["", "unfinished"],
            "queued",
            "running",
            "verifying",
            "complete",
            "failed",
            "cancelled",
            "expired",
            "dropped",
          ]}
        />
      </div>
      <Loaded of={loaded}>
        {({ tasks, more }) => (
          <TaskList
            tasks={wantedTasks(tasks, { text, status })}
            calls={calls}
            queue={queue}
            reload={loaded.reload}
            more={more ? () => setPages(pages + 1) : undefined}
          />
        )}
      </Loaded>
    </section>
  );
}

interface TaskListProps {
  readonly tasks: readonly TaskView[];
  readonly calls: ReturnType<typeof callsOf>;
  readonly queue: string;
  readonly reload: () => void;
  readonly more: (() => void) | undefined;
}

const verdictText = ({ accepted, by, name, host, reason }: NonNullable<TaskView["verdict"]>) =>
  [accepted ? "accepted by the" : "not accepted by the", by, name, host && `on ${host}`, reason && `(${reason})`]
    .filter(Boolean)
    .join(" ");

const isOpen = (status: string) => status === "queued" || status === "running" || status === "verifying";

function TaskList({ tasks, calls, queue, reload, more }: TaskListProps) {
  const selected = queryOf("sel");
  const open = tasks.filter(({ status }) => isOpen(status));
  const ended = tasks.filter(({ status }) => status === "failed");
  return (
    <>
      <p class="tally">
        <span>{counted(tasks.length, "task")} of those that are loaded</span>
        {more !== undefined && (
          <button type="button" onClick={more}>
            Load more
          </button>
        )}
        <Bulk
          label="Cancel"
          kind="danger"
          what={`unfinished tasks of ${queue} in this list`}
          count={async () => open.length}
          none={open.length === 0}
          run={(progress) => actOnEach(open, idOf, (task) => calls.cancel(queue, task.task_id), progress)}
          after={reload}
        />
        <Bulk
          label="Retry"
          what={`failed tasks of ${queue} in this list`}
          count={async () => ended.length}
          none={ended.length === 0}
          run={(progress) => actOnEach(ended, idOf, (task) => calls.retry(queue, task.task_id), progress)}
          after={reload}
        />
      </p>
      {tasks.length === 0 && selected === "" ? (
        <Empty title="No task matches." />
      ) : (
        <SplitList
          items={tasks}
          label="Tasks"
          keyOf={idOf}
          row={(task) => (
            <>
              <Badge tone={TONES[standing(task)] ?? "notice"}>{standing(task)}</Badge>
              <strong>{task.type}</strong>
              <span class="source">{task.recipient}</span>
              <span class="mono facts-line">{task.error ?? inLine(task.payload)}</span>
              <span class="faint">
                <When at={task.created_at} />
              </span>
            </>
          )}
          detail={(id) => <TaskDetail calls={calls} queue={queue} id={id} reload={reload} />}
        />
      )}
    </>
  );
}

const idOf = (task: TaskView) => task.task_id;

type DetailProps = Pick<TaskListProps, "calls" | "queue" | "reload"> & { readonly id: string };

function TaskDetail({ calls, queue, id, reload }: DetailProps) {
  const task = usePolled(`${queue} ${id}`, () => calls.task(queue, id), EVERY_MS);
  const after = () => {
    task.reload();
    reload();
  };
  return (
    <aside class="detail" aria-label="The selected task">
      <Loaded of={task}>
        {(one) => (
          <>
            <h2>{one.type}</h2>
            <p class="detail-tools">
              {isOpen(one.status) && (
                <Act
                  label="Cancel"
                  kind="danger"
                  about={id}
                  confirm={`Cancel the task ${id}?`}
                  run={() => calls.cancel(queue, id)}
                  done="Cancelled"
                  after={after}
                />
              )}
              {one.status === "failed" && (
                <Act label="Retry" about={id} run={() => calls.retry(queue, id)} done="Queued again" after={after} />
              )}
              {one.cause !== undefined && <a href={to("chain", one.cause)}>How it came to this</a>}
              <CloseDetail />
            </p>
            <Facts
              of={[
                [
                  "Status",
                  <Badge key="s" tone={TONES[standing(one)] ?? "notice"}>
                    {standing(one)}
                  </Badge>,
                ],
                ["Id", <code key="i">{one.task_id}</code>],
                ["Recipient", one.recipient],
                ["Attempt", `${one.attempt} of ${one.max_attempts}`],
                ["Waited", duration(one.waited_ms)],
                ["Ran", duration(one.ran_ms)],
                ["Parked", one.parked_reason],
                ["Worker", one.worker],
                ["Error", one.error],
                ["Waits", one.verifying?.why],
                ["Verdict", one.verdict && verdictText(one.verdict)],
              ]}
            />
            {(
              [
                ["Output of the check", one.verdict?.output],
                ["Payload", one.payload],
                ["Result", one.result],
              ] as const
            ).map(
              ([name, value]) =>
                value !== undefined && (
                  <section key={name}>
                    <h3>{name}</h3>
                    <Json value={value} label={name} />
                  </section>
                ),
            )}
            <h3>History</h3>
            <ol class="events">
              {one.history.map(({ at, event, worker, error }) => (
                <li key={`${at} ${event}`}>
                  <When at={at} /> {event}
                  {worker !== undefined && ` by ${worker}`}
                  {error !== undefined && `: ${error}`}
                </li>
              ))}
            </ol>
          </>
        )}
      </Loaded>
    </aside>
  );
}
