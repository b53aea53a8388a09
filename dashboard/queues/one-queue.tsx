import type { Bottlenecks, QueueStatus } from "../../src/core/queue/api.ts";
import { to } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Head, Loaded, When } from "../parts/basics.tsx";
import { Table } from "../parts/table.tsx";
import { duration, grouped } from "../parts/words.ts";
import { callsOf } from "./calls.ts";
import { Controls } from "./controls.tsx";
import { Tasks } from "./tasks.tsx";

const EVERY_MS = 5_000;

export function OneQueue({ ecosystem, queue }: { readonly ecosystem: string; readonly queue: string }) {
  const calls = callsOf(ecosystem);
  const state = usePolled(
    `${ecosystem} ${queue}`,
    async () => {
      const [status, bottlenecks] = await Promise.all([calls.status(queue), calls.bottlenecks(queue)]);
      return { status, bottlenecks };
    },
    EVERY_MS,
  );
  return (
    <>
      <Head title={queue} about={<a href={to("queues")}>All queues</a>} />
      <Loaded of={state}>
        {({ status, bottlenecks }) => (
          <>
            <Controls calls={calls} queue={queue} status={status} after={state.reload} />
            <QueueFigures status={status} bottlenecks={bottlenecks} />
            <Tasks ecosystem={ecosystem} queue={queue} />
            <Slow bottlenecks={bottlenecks} queue={queue} />
          </>
        )}
      </Loaded>
    </>
  );
}

type Status = Pick<QueueStatus, "depth" | "running" | "oldest_age_ms" | "workers" | "by_recipient" | "alerts"> & {
  readonly breakers?: QueueStatus["breakers"] | undefined;
  readonly paused?: QueueStatus["paused"] | undefined;
  readonly bulk?: QueueStatus["bulk"] | undefined;
};

function QueueFigures({ status, bottlenecks }: { readonly status: Status; readonly bottlenecks: Bottlenecks }) {
  const workers = Object.values(status.workers).reduce((sum, count) => sum + count, 0);
  const recipients = Object.entries(status.by_recipient).sort(([, a], [, b]) => b.queued - a.queued);
  return (
    <>
      <p class="sentence">
        {bottlenecks.summary ??
          (status.depth === 0 ? "Nothing waits." : "No task has run this hour: nobody knows yet where the time goes.")}
      </p>
      <p class="tally">
        {status.paused != null && (
          <Badge tone="warning">
            paused by {status.paused.by}, <When at={status.paused.since} />
            {status.paused.reason !== null && `: ${status.paused.reason}`}
          </Badge>
        )}
        {status.bulk != null && (
          <Badge tone="notice">
            {status.bulk.action} by {status.bulk.by} runs: {grouped(status.bulk.done)} done
          </Badge>
        )}
        <Badge tone={status.depth > 0 && workers === 0 ? "critical" : "calm"}>
          {grouped(status.depth)} queued, {grouped(status.running)} running, {grouped(workers)} workers connected
        </Badge>
        {status.oldest_age_ms !== null && (
          <Badge tone="notice">oldest has waited {duration(status.oldest_age_ms)}</Badge>
        )}
        {status.alerts.map(({ rule, subject, raised_at }) => (
          <Badge key={`${rule} ${subject}`} tone="warning">
            {rule} ({subject}), <When at={raised_at} />
          </Badge>
        ))}
        {(status.breakers ?? []).map(({ recipient, reason, next_probe_at }) => (
          <Badge key={recipient} tone="critical">
            breaker of {recipient} is open: {reason}; next try <When at={next_probe_at} />
          </Badge>
        ))}
      </p>
      {recipients.length > 0 && (
        <Table
          label="By recipient"
          caption="By recipient, this hour and the one before"
          columns={[
            "Recipient",
            { number: "Queued" },
            { number: "Running" },
            { number: "Done" },
            { number: "Failed" },
            { number: "Waits (half, 95 %)" },
            { number: "Runs (half, 95 %)" },
            { number: "Workers" },
          ]}
        >
          {recipients.map(([name, one]) => (
            <tr key={name}>
              <th scope="row">{name === "*" ? "anyone" : name}</th>
              <td class="number">{grouped(one.queued)}</td>
              <td class="number">{grouped(one.running)}</td>
              <td class="number">{grouped(one.complete)}</td>
              <td class="number">{grouped(one.failed)}</td>
              <td class="number">{pair(one.waiting_p50_ms, one.waiting_p95_ms)}</td>
              <td class="number">{pair(one.p50_ms, one.p95_ms)}</td>
              <td class="number">{status.workers[name] ?? 0}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}

const pair = (half: number | null, most: number | null): string =>
  half === null ? "–" : `${duration(half)}, ${duration(most ?? half)}`;

function Slow({ bottlenecks, queue }: { readonly bottlenecks: Bottlenecks; readonly queue: string }) {
  if (bottlenecks.slowest.length === 0) return <Empty title="No task has ended yet: the slowest will stand here." />;
  return (
    <Table
      label="The slowest tasks"
      caption="The slowest tasks"
      columns={["Task", "Type", "Recipient", { number: "Ran" }, { number: "Waited" }, "Ended"]}
    >
      {bottlenecks.slowest.map((task) => (
        <tr key={task.task_id}>
          <th scope="row">
            <a href={to("queues", queue, { sel: task.task_id })}>{task.task_id}</a>
          </th>
          <td>{task.type}</td>
          <td>{task.recipient}</td>
          <td class="number">{duration(task.ran_ms)}</td>
          <td class="number">{duration(task.waited_ms)}</td>
          <td>
            <When at={task.finished_at} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
