import { z } from "@hono/zod-openapi";
import { FileTaskRecord, FileWorkerView } from "../../../core/file-tasks/api.ts";
import { named } from "../http/schema-parts.ts";

// The names in the document are older than the names in the code; generated clients depend on them.
export const FileWorkerSchema = named("DropWorker", FileWorkerView);
export const FileTaskSchema = named("DroppedTask", FileTaskRecord);
export const FileWorkersSchema = z.object({ workers: z.array(FileWorkerSchema) });
export const FileTasksSchema = z.object({ tasks: z.array(FileTaskSchema) });
