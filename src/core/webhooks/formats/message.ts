/** A message for an endpoint, before it takes the form that the endpoint wants. */
export interface WebhookContent {
  /** Id of the delivery. */
  readonly id: string;
  readonly type: string;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly data: unknown;
  readonly ecosystem: string;
  readonly endpoint: string;
  readonly rule: string | undefined;
  /** Id of the signal that led to the message. */
  readonly cause: string | undefined;
  /** Where people find the dashboard, without a slash at the end; `undefined`: not known. */
  readonly edge: string | undefined;
}

/** What a request to an endpoint carries. */
export interface RenderedMessage {
  readonly contentType: string;
  readonly body: string;
}

export const JSON_BODY = "application/json";
