import { isJsonObject } from "../json/is-json-object.ts";
import type { NewDelivery } from "./api.ts";

/** A delivery that was given up and is sent again, with the timestamp of its first message. */
export interface Redelivery extends NewDelivery {
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
}

export const DEFAULT_TYPE = "rule.fired";
/** `type` of a test message. */
export const TEST_TYPE = "webhook.test";
/** `type` of a question to people. Its `link` answers. */
export const QUESTION_TYPE = "question.asked";
/** `type` of the message that a question is over. */
export const QUESTION_ENDED_TYPE = "question.ended";

/** What of a message may be shown to others than its endpoint: a link that answers stands for who reads there. */
export function withoutLink(type: string, data: unknown): unknown {
  if (type !== QUESTION_TYPE || !isJsonObject(data)) return data;
  const { link: _, ...shown } = data;
  return shown;
}

/**
 * Builds the message as it is signed and sent. It is built once, so that every attempt sends the same bytes.
 *
 * @param dataJson - JSON text
 * @param timestampMs - milliseconds since the epoch
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#payload-structure
 */
export function messageOf(type: string, dataJson: string, timestampMs: number): string {
  return `{"type":${JSON.stringify(type)},"timestamp":"${new Date(timestampMs).toISOString()}","data":${dataJson}}`;
}

/** The parts of a message that a dead letter shows. */
export interface ReadMessage {
  readonly timestamp: string;
  readonly data: unknown;
}

/**
 * Reads a message that {@link messageOf} built.
 *
 * @throws Error for any other text: a stored message that cannot be read is a mistake of this program
 */
export function readMessage(text: string): ReadMessage {
  const message: unknown = JSON.parse(text);
  if (typeof message !== "object" || message === null || !("timestamp" in message) || !("data" in message))
    throw new Error("the stored webhook message has no timestamp or no data");
  const { timestamp, data } = message;
  if (typeof timestamp !== "string") throw new Error("the timestamp of the stored webhook message is no text");
  return { timestamp, data };
}
