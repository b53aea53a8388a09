import * as z from "zod";
import { CallReply, PendingCall, QueueStatus } from "../../core/queue/api.ts";
import { CreatedQueue, DEFAULT_SETTINGS, QueueSettings } from "../../core/queue/queue-settings.ts";

/** An older edge has no breakers. */
const { breaker_failures, breaker_rate, breaker_calls, breaker_open_ms, breaker_open_max_ms, breaker_fallback } =
  QueueSettings.shape;
/** Nor does it keep finished tasks by count, or tell of long ones. */
const { keep_finished, notify_long_to, notify_long_ms, notify_long_every_ms } = QueueSettings.shape;
export const AnyQueueSettings = QueueSettings.extend({
  breaker_failures: breaker_failures.default(DEFAULT_SETTINGS.breaker_failures),
  breaker_rate: breaker_rate.default(DEFAULT_SETTINGS.breaker_rate),
  breaker_calls: breaker_calls.default(DEFAULT_SETTINGS.breaker_calls),
  breaker_open_ms: breaker_open_ms.default(DEFAULT_SETTINGS.breaker_open_ms),
  breaker_open_max_ms: breaker_open_max_ms.default(DEFAULT_SETTINGS.breaker_open_max_ms),
  breaker_fallback: breaker_fallback.default(DEFAULT_SETTINGS.breaker_fallback),
  keep_finished: keep_finished.default(0),
  notify_long_to: notify_long_to.default(DEFAULT_SETTINGS.notify_long_to),
  notify_long_ms: notify_long_ms.default(DEFAULT_SETTINGS.notify_long_ms),
  notify_long_every_ms: notify_long_every_ms.default(DEFAULT_SETTINGS.notify_long_every_ms),
});
export const AnyCreatedQueue = CreatedQueue.extend({ settings: AnyQueueSettings });
/** Nor does it say how large a queue is, or know pauses. */
export const AnyQueueStatus = QueueStatus.extend({ settings: AnyQueueSettings }).partial({
  breakers: true,
  paused: true,
  bulk: true,
  database_bytes: true,
  heap: true,
});

/** A reply holds `result`, a call without one its `status`: the reply is tried first. */
export const EarlierCall = z.union([CallReply, PendingCall]);
