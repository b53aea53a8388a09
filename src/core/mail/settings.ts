import { DEFAULT_SETTINGS, type QueueSettings } from "../queue/queue-settings.ts";
import type { FinishedTask } from "../queue/task.ts";
import { MAIL_QUEUE } from "./api.ts";

/**
 * The settings of the queue `mail`, unless somebody changes them. A message may lie for days, which is no alarm: messages that are
 * late by their own terms are. One that its worker gives back keeps its place before those that came later.
 */
export const MAIL_SETTINGS: QueueSettings = {
  ...DEFAULT_SETTINGS,
  backoff_ms: 1,
  backoff_max_ms: 1,
  max_attempts: 100,
  alert_task_ms: null,
  alert_p95_ms: null,
  alert_depth: null,
};

/** Open messages of one recipient, so that one who never reads fills nobody else's mailbox. */
export const MAX_OPEN_MESSAGES = 1_000;

/** A message that expired after it was delivered: it reached its recipient, and nothing of it is lost. */
export const isReceivedMail = (
  queue: string,
  { outcome, attempt }: Pick<FinishedTask, "outcome" | "attempt">,
): boolean => queue === MAIL_QUEUE && outcome === "expired" && attempt > 0;
