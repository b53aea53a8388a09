import type { QueueStatus } from "../../src/core/queue/api.ts";
import { Bulk } from "../parts/bulk.tsx";
import { Act } from "../parts/dialog.tsx";
import type { callsOf } from "./calls.ts";

interface ControlsProps {
  readonly calls: ReturnType<typeof callsOf>;
  readonly queue: string;
  readonly status: Pick<QueueStatus, "depth"> & { readonly paused?: QueueStatus["paused"] | undefined };
  readonly after: () => void;
}

/** What can be done to a queue as a whole. */
export function Controls({ calls, queue, status, after }: ControlsProps) {
  return (
    <p class="detail-tools">
      {status.paused == null ? (
        <Act
          label="Pause"
          about={queue}
          confirm={`Pause ${queue}? It takes tasks and gives none out until somebody resumes it.`}
          run={() => calls.pause(queue)}
          done="Paused"
          after={after}
        />
      ) : (
        <Act
          label="Resume"
          kind="primary"
          about={queue}
          run={() => calls.resume(queue)}
          done="The queue gives out tasks"
          after={after}
        />
      )}
      <Bulk
        label="Purge"
        kind="danger"
        what={`tasks that wait in ${queue}, which are gone without a trace then`}
        count={async () => (await calls.bulk(queue, "purge", {}, true)).matched}
        none={status.depth === 0}
        run={async (progress) => {
          const { matched, done, running } = await calls.bulk(queue, "purge");
          const so = { done, all: running ? matched : done, failed: [] };
          progress(so);
          return so;
        }}
        after={after}
      />
    </p>
  );
}
