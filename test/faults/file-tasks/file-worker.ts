import { createLog } from "../../../local-agent/base/log.ts";
import { FileWorkers } from "../../../local-agent/file-tasks/file-workers.ts";
import { WorkersSettings } from "../../../local-agent/file-tasks/settings.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";

/**
 * Workers as a process of their own, to be killed. Each task appends its id to a file when it begins and when it ends,
 * and holds a lock meanwhile, so that two attempts at one task at a time are seen.
 */
const { DROP_ROOT = "", DROP_STATE = "" } = process.env;

const COMMAND =
  "exec 9> held.$GANGLION_TASK_ID; flock -n 9 || echo $GANGLION_TASK_ID >> twice; " +
  "echo $GANGLION_TASK_ID >> began; sleep 0.02; echo $GANGLION_TASK_ID >> ended";

const db = StateDatabase.open(DROP_STATE);
const log = createLog({ format: "text", level: "warn" });
const settings = WorkersSettings.parse({
  run: [
    {
      name: "review",
      command: ["/bin/sh", "-c", COMMAND],
      concurrency: 3,
      attempts: 20,
    },
  ],
});
const spool = new Spool(db, { hostId: "a", maxBytes: 1e9, now: Date.now, log });
const edge = { url: "http://127.0.0.1:9", token: () => "none", ecosystem: "default" };
const workers = new FileWorkers({
  settings,
  root: DROP_ROOT,
  host: "a",
  edge,
  spool,
  now: Date.now,
  log,
  rescanMs: 300,
});
await workers.start();
console.log("started");
