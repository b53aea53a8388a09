declare module "vitest" {
  export interface ProvidedContext {
    /** Where the receiver of webhooks listens; tests in workerd cannot listen themselves. */
    receiver: string;
    /** Where the receiver of OTLP traces listens. */
    otlp: string;
  }
}

/** A message as the receiver took it; see harness/webhook-receiver.ts. */
export interface ReceivedMessage {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}
