/** Something to be sent to an endpoint, as whoever decided on it hands it over. */
export interface NewDelivery {
  /** Names the delivery: the same id again is not a second one. Receivers see it as `webhook-id`. */
  readonly id: string;
  /** Id of the endpoint. */
  readonly endpoint: string;
  /** JSON text: `data` of the message. */
  readonly body: string;
  /** `type` of the message, words joined by full stops; default `rule.fired`. */
  readonly type?: string;
  /** Id of the signal that led to it. */
  readonly cause?: string;
  /** The rule that asked for it. */
  readonly rule?: string;
}

export const DEFAULT_TYPE = "rule.fired";
/** `type` of a test call. */
export const TEST_TYPE = "webhook.test";

/**
 * `waiting` → `delivered` | `failed`. `failed` is a dead letter too. `skipped`: it came while its endpoint was switched
 * off.
 */
export type DeliveryState = "waiting" | "delivered" | "failed" | "skipped";

/** How a delivery stands, as people see it. */
export interface DeliveryView {
  readonly id: string;
  readonly type: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly accepted_at: string;
  /** When it was tried last. */
  readonly attempted_at?: string;
  /** Not before this it is tried again. */
  readonly next_attempt_at?: string;
  /** HTTP status of the last answer. */
  readonly last_status?: number;
  readonly last_error?: string;
  readonly cause?: string;
  readonly rule?: string;
}

/** A delivery with the endpoint that it goes to. */
export interface DeliveryStanding extends DeliveryView {
  readonly endpoint: string;
}

/** What came of a test call. */
export interface TestOutcome {
  readonly delivered: boolean;
  /** HTTP status of the answer, where there was one. */
  readonly status?: number;
  readonly error?: string;
  readonly duration_ms: number;
}

/**
 * The message as it is signed and sent. Written once, so that every attempt sends the same bytes.
 *
 * @param dataJson - JSON text
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#payload-structure
 */
export function messageOf(type: string, dataJson: string, timestampMs: number): string {
  return `{"type":${JSON.stringify(type)},"timestamp":"${new Date(timestampMs).toISOString()}","data":${dataJson}}`;
}

/** @throws TypeError where `text` is not what {@link messageOf} made */
export function readMessage(text: string): { timestamp: string; data: unknown } {
  const message: unknown = JSON.parse(text);
  if (typeof message !== "object" || message === null || !("timestamp" in message) || !("data" in message))
    throw new TypeError("a stored message lacks timestamp or data");
  return { timestamp: String(message.timestamp), data: message.data };
}
