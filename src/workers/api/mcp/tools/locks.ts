import * as z from "zod";
import {
  LockAcquisition,
  LockBlocker,
  LockCycle,
  LockHeld,
  LockMode,
  LockPage,
  LockReleased,
} from "../../../../core/locks/api.ts";
import { path } from "../edge-calls.ts";
import { defineTool, READS } from "../tool.ts";

/** Below the time after which clients give a call up. */
const MAX_WAIT_MS = 25_000;

const name = z.string().min(1).max(256).meta({
  description: "Name of the lock, such as port:8080; tree:/srv/app/** keeps others out of everything below /srv/app",
});
const fence = z.int().min(1).meta({ description: "The fence that acquire_lock answered" });
const ttl_ms = z.int().min(1).max(86_400_000).default(300_000).meta({
  description: "The lock ends so long after it was acquired or renewed; default 300,000",
});

/** Said again it changes nothing more. */
const CHANGES = { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false };

const acquireLock = defineTool({
  name: "acquire_lock",
  title: "Acquire a lock",
  description:
    "Keeps other agents out of what you change: a directory, a port, a branch. `held` says whether you have it; if not, `holder` has, and " +
    "you must not change it. Asked again with the same `owner` it gives the same fence. Renew it before `expires_at`, and release it when " +
    "you are done. With `cycle` all would wait for each other: release what you hold first.",
  operations: ["acquireLock"],
  scopes: ["tasks:work"],
  annotations: CHANGES,
  args: z.strictObject({
    name,
    owner: LockAcquisition.shape.owner,
    ttl_ms,
    mode: LockAcquisition.shape.mode,
    wait_ms: z.int().min(0).max(MAX_WAIT_MS).default(0).meta({ description: "How long to wait for it; default 0" }),
    task: LockAcquisition.shape.task,
  }),
  answer: z.object({
    held: z.boolean(),
    name: z.string().optional(),
    mode: LockMode.optional(),
    fence: z.int().optional(),
    expires_at: z.string().optional(),
    holder: z.string().optional(),
    blocked_by: LockBlocker.optional(),
    cycle: LockCycle.optional(),
  }),
  run: ({ name, ...body }, edge) => edge({ method: "POST", path: path`/locks/${name}/acquire`, body }),
});

const renewLock = defineTool({
  name: "renew_lock",
  title: "Hold a lock for longer",
  description: "Refused where you do not hold it any more: stop what it protects then.",
  operations: ["renewLock"],
  scopes: ["tasks:work"],
  annotations: CHANGES,
  args: z.strictObject({ name, fence, ttl_ms }),
  answer: LockHeld,
  run: ({ name, ...body }, edge) => edge({ method: "POST", path: path`/locks/${name}/renew`, body }),
});

const releaseLock = defineTool({
  name: "release_lock",
  title: "Release a lock",
  description: "Lets the next one in. Refused where you do not hold it any more, which is as good.",
  operations: ["releaseLock"],
  scopes: ["tasks:work"],
  annotations: CHANGES,
  args: z.strictObject({ name, fence }),
  answer: LockReleased,
  run: ({ name, ...body }, edge) => edge({ method: "POST", path: path`/locks/${name}/release`, body }),
});

const listLocks = defineTool({
  name: "list_locks",
  title: "Look who holds what",
  description: "Lists the locks that are held, with owner and purpose, and who waits for whom.",
  operations: ["listLocks"],
  scopes: ["tasks:read"],
  annotations: READS,
  args: z.strictObject({
    name: z
      .string()
      .max(256)
      .optional()
      .meta({ description: "Only locks that meet this name, which may have wildcards" }),
    owner: z.string().max(256).optional().meta({ description: "Only locks of this owner" }),
    limit: z.int().min(1).max(100).default(20).meta({ description: "Most locks; default 20" }),
    after: z.string().max(256).optional().meta({ description: "`next` of the page before" }),
  }),
  answer: LockPage,
  run: (query, edge) => edge({ method: "GET", path: "/locks", query }),
});

/** Locks: one agent at a time. */
export const lockTools = [acquireLock, renewLock, releaseLock, listLocks];
