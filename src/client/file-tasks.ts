import { FileTasks, FileWorkerHosts, FileWorkers } from "../core/file-tasks/api.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** Calls about tasks that are dropped as files. */
export function fileTaskCalls({ call, inside }: Calls) {
  return {
    fileWorkers: async () => (await call(FileWorkers, { path: inside("/workers") })).workers,
    /** One worker on each host that runs it or has run it. */
    fileWorker: (worker: string) => call(FileWorkerHosts, { path: inside(`/workers/${encodeURIComponent(worker)}`) }),
    /** Every drop of that id, the newest first. */
    fileTasks: async (worker: string, id: string) => {
      const path = inside(`/workers/${encodeURIComponent(worker)}/tasks/${encodeURIComponent(id)}`);
      return (await call(FileTasks, { path })).tasks;
    },
  };
}
