import {
  FileTaskRecord,
  FileTasks,
  FileWorkerHealth,
  FileWorkerHosts,
  FileWorkers,
  FileWorkerView,
} from "../../../core/file-tasks/api.ts";
import { named } from "../http/schema-parts.ts";

// The names in the document are older than the names in the code; generated clients depend on them.
const FileWorkerSchema = named("DropWorker", FileWorkerView);
const FileTaskSchema = named("DroppedTask", FileTaskRecord);
export const FileWorkersSchema = FileWorkers.extend({ workers: FileWorkerSchema.array() });
export const FileWorkerHostsSchema = FileWorkerHosts.extend({
  hosts: named("DropWorkerHealth", FileWorkerHealth).array(),
});
export const FileTasksSchema = FileTasks.extend({ tasks: FileTaskSchema.array() });
