/** Where it was said: by hooks of the program, events in its logs, its metrics, or spans. */
export const ORIGINS = ["hooks", "events", "metrics", "spans"] as const;
export type Origin = (typeof ORIGINS)[number];

/** What an agent's session says of itself, whatever program it is of. */
export type SessionSignal =
  | "Q_SESSION_BEGUN"
  | "Q_SESSION_ENDED"
  | "Q_SESSION_PROMPTED"
  | "Q_SESSION_REPLIED"
  | "Q_SESSION_TOOL_STARTED"
  | "Q_SESSION_TOOL_ENDED"
  | "Q_SESSION_PERMISSION_ASKED"
  | "Q_SESSION_PERMISSION_ANSWERED"
  | "Q_SESSION_USAGE"
  | "Q_SESSION_API_FAILED"
  | "Q_SESSION_ACTIVE";

type Fact = string | number | boolean | undefined | readonly unknown[];

/** A signal with its facts, before it is known of which session it is. */
export interface Meaning {
  readonly signal: SessionSignal;
  readonly facts: Readonly<Record<string, Fact>>;
}

/** `known`: of no use here, and no reason to tell anybody. `undefined`: unknown. */
export type Reading = Meaning | "known" | undefined;

/** What one record says of one session. */
export interface SessionRecord extends Meaning {
  readonly session: string;
  /** Name of the program, such as `claude-code`. */
  readonly agent: string;
  readonly from: Origin;
  /** `undefined`: the program's own name. */
  readonly source: string | undefined;
  /** By the clock of the sender, in milliseconds since the epoch. */
  readonly atMs: number | undefined;
  readonly traceId?: string | undefined;
  readonly spanId?: string | undefined;
  /** The task that the session works on, where somebody set it. */
  readonly task?: string | undefined;
  /** What a repeated export repeats, and no other record has; `undefined`: nothing does. */
  readonly identity: string | undefined;
}

/** Of a sign of life: a part of an answer came. There are many, and the last of each session tells what all of them do. */
export const STREAMING = "streaming";

/** What is kept of prompts and of what tools are given: nothing, or their beginnings. */
export const CONTENT_SETTINGS = ["none", "all"] as const;
export type ContentSetting = (typeof CONTENT_SETTINGS)[number];

/** Characters of a prompt or an input that are kept, where they are. */
export const MAX_CONTENT = 4_096;
/** Characters of the message of a failure of a model's API. */
export const MAX_MESSAGE = 200;
/** Characters of the id of a session, a tool call, a model or a tool. */
export const MAX_NAME = 128;
