import { place, queryOf, to } from "../base/router.ts";
import { Badge, Empty, Head } from "../parts/basics.tsx";
import { TextFilter } from "../parts/fields.tsx";
import { OverviewState } from "../parts/overview-state.tsx";
import { counted, duration, grouped } from "../parts/words.ts";
import { HEAT_WORDS, heatOf, type QueueGlance, sentenceOf, waitAgainstRun, wantedQueues } from "./heat.ts";
import { OneQueue } from "./one-queue.tsx";

export function QueuesView() {
  const { ecosystem, id } = place.value;
  if (id !== undefined) return <OneQueue key={`${ecosystem}/${id}`} ecosystem={ecosystem} queue={id} />;
  return (
    <OverviewState>
      {({ queues }) => {
        const shown = wantedQueues(queues, queryOf("text"));
        const ready = queues.reduce((sum, queue) => sum + queue.ready, 0);
        return (
          <>
            <Head
              title="Queues"
              about={`${counted(queues.length, "queue")}, ${counted(ready, "task")} ready; the longest wait first`}
            >
              <TextFilter name="text" label="Filter" hint="queue" />
            </Head>
            {shown.length === 0 ? (
              <Empty title={queues.length === 0 ? "There is no queue yet." : "No queue matches this filter."}>
                {queues.length === 0 && (
                  <p>
                    A queue begins with its first task or worker: <code>ganglion tasks add</code>, or a rule that
                    enqueues.
                  </p>
                )}
              </Empty>
            ) : (
              <>
                <ul class="heat">
                  {shown.map((queue) => (
                    <Tile key={queue.queue} queue={queue} />
                  ))}
                </ul>
                <p class="legend faint">
                  <span>Age of the oldest task that is ready:</span>
                  {HEAT_WORDS.map((word, heat) => (
                    <span key={word} class="legend-item">
                      <span class={`swatch heat-${heat}`} aria-hidden="true" />
                      {word}
                    </span>
                  ))}
                </p>
              </>
            )}
          </>
        );
      }}
    </OverviewState>
  );
}

function Tile({ queue }: { readonly queue: QueueGlance }) {
  const { ready, leased, oldest_ms, alerts } = queue;
  const { tone, text } = sentenceOf(queue);
  return (
    <li class={`tile heat-${heatOf(queue)}`}>
      <h2>
        <a href={to("queues", queue.queue)} data-walk>
          {queue.queue}
        </a>
        {queue.paused === true && <Badge tone="warning">paused</Badge>}
        {alerts.length > 0 && <Badge tone="warning">{counted(alerts.length, "alert")}</Badge>}
      </h2>
      <p class="tile-figures">
        <span>
          <strong>{grouped(ready)}</strong> ready
        </span>
        <span>
          <strong>{grouped(leased)}</strong> running
        </span>
        <span>
          <strong>{oldest_ms === null || ready === 0 ? "–" : duration(oldest_ms)}</strong> oldest
        </span>
      </p>
      <WaitBar queue={queue} />
      <p class="tile-text">
        {tone !== "calm" && tone !== "good" && <Badge tone={tone}>look</Badge>} {text}
      </p>
    </li>
  );
}

/** Half of the tasks waited no longer, and ran no longer. */
export function WaitBar({ queue }: { readonly queue: Pick<QueueGlance, "wait_p50_ms" | "run_p50_ms"> }) {
  const share = waitAgainstRun(queue);
  if (share === undefined) return <p class="faint">No task has ended this hour.</p>;
  const words = `waits ${duration(queue.wait_p50_ms ?? 0)}, runs ${duration(queue.run_p50_ms ?? 0)}`;
  return (
    <div class="wait-run" role="img" aria-label={`Half of the tasks: ${words}`}>
      <div class="wait-bar">
        <span class="wait" style={{ width: `${(share * 100).toFixed(1)}%` }} />
      </div>
      <span class="faint">{words}</span>
    </div>
  );
}
