import * as z from "zod";
import { QUESTION_ID, QUESTION_ID_RULE } from "../../../core/questions/settings.ts";
import {
  DEFAULT_LEASE_MS,
  HostName,
  Labels,
  LeaseMs,
  MAX_TASKS,
  MAX_WAIT_MS,
  Recipient,
  Skills,
} from "../../../core/queue/task-input.ts";

/** Bodies of the requests by which a worker without a channel takes and ends tasks. */
export const LeaseRequest = z.strictObject({
  recipient: Recipient,
  max: z.int().min(1).max(MAX_TASKS).default(1),
  lease_ms: LeaseMs.default(DEFAULT_LEASE_MS),
  wait_ms: z.int().min(0).max(MAX_WAIT_MS).default(0),
  worker: z.string().min(1).max(256).optional(),
  /** What the worker can do: it gets tasks that need these skills, too. */
  skills: Skills.optional(),
  /** The host that the worker runs on, of those that its token is bound to: it gets tasks that need what the host has. */
  host: HostName.optional(),
  labels: Labels.optional(),
});
/** Most tasks in one request of which each is taken or refused by itself, and its bytes. */
export const MAX_BULK_TASKS = 10_000;
export const MAX_BULK_BYTES = 8 * 1024 * 1024;

const LeaseId = z.string().min(1).max(64);
export const CompleteRequest = z.strictObject({
  lease_id: LeaseId,
  result: z.unknown().optional(),
  /** What the worker says beside the result, for a task that must prove that it is done: 16 KiB at most. */
  evidence: z.unknown().optional(),
});
export const FailRequest = z.strictObject({
  lease_id: LeaseId,
  error: z.string().max(4_096),
  retry: z.boolean().default(true),
});
export const ExtendRequest = z.strictObject({ lease_id: LeaseId, lease_ms: LeaseMs.default(DEFAULT_LEASE_MS) });
export const ParkRequest = z.strictObject({
  lease_id: LeaseId,
  question: z
    .string()
    .regex(QUESTION_ID, { message: QUESTION_ID_RULE })
    .meta({ description: "Id of the question whose answer the task waits for" }),
});
export const ReleaseRequest = z.strictObject({ lease_id: LeaseId });
