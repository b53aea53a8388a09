/** Kinds of OTLP, by their numbers on the wire. */
export const KIND = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

export type AttributeValue = string | number | boolean | readonly string[];
/** What is `undefined` is left out. */
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

/** How much of payloads, results, errors and prompts leaves: nothing, the names of their fields, or all. */
export const PAYLOADS = ["none", "keys", "all"] as const;
export type Payload = (typeof PAYLOADS)[number];

export const PRESETS = ["langfuse"] as const;
export type Preset = (typeof PRESETS)[number];

/** Something that has ended, before it has the form of the wire. Times are milliseconds since the epoch. */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: Kind;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  /** The work failed; `message` for people, where it may leave. */
  readonly failed?: { readonly message?: string | undefined } | undefined;
  /** What receivers for agents show of it. */
  readonly observation: Observation;
}

export interface Observation {
  readonly type: "span" | "agent" | "tool" | "chain" | "generation";
  /** A name that tells it from others of its kind; default: that of the span. */
  readonly name?: string;
  /** Name of the trace, where the span stands at its top. */
  readonly traceName?: string;
  readonly tags: readonly string[];
  /** JSON or text. */
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  readonly costUsd?: number | undefined;
}

/** What all spans of an ecosystem are made with. */
export interface SpanContext {
  readonly ecosystem: string;
  readonly payload: Payload;
  /** SHA-256 of a text, as hexadecimal digits. */
  readonly digest: (text: string) => string;
}
