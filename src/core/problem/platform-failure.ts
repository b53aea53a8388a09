/** What the platform did to a call of an object: nothing is wrong with the call, which works again by itself. */
export interface PlatformFailure {
  readonly kind: "overloaded" | "object-reset" | "version-skew";
  readonly title: string;
  readonly detail: string;
  readonly retryAfterMs: number;
  /** Whether a call that changes nothing is worth a second try at once. An overloaded object must not be asked again. */
  readonly repeatAtOnce: boolean;
}

/** Words with which the platform says that it ended or lost an object in the midst of a call. */
const RESET =
  /\bwas reset\b|\bto be reset\b|\breset because\b|\bexceeded (its|the) (memory|CPU)|Network connection lost|Cannot resolve Durable Object|Durable Object's isolate/i;
const NO_METHOD = /^The RPC receiver does not implement\b/;

/**
 * Recognises errors of the platform by the marks that it puts on them. An object that was reset for its memory, for its CPU
 * time or by a deployment marks its error `remote` alone, as it marks every error that an object's own code throws: those
 * stay what they are, defects, which a caller must not be told to repeat.
 *
 * @returns `undefined` for any other error
 */
export function platformFailure(error: unknown): PlatformFailure | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const marks: { message?: unknown; overloaded?: unknown; retryable?: unknown; durableObjectReset?: unknown } = error;
  const message = typeof marks.message === "string" ? marks.message : "";
  if (marks.overloaded === true) return OVERLOADED;
  if (NO_METHOD.test(message)) return VERSION_SKEW;
  if (marks.retryable === true || marks.durableObjectReset === true || RESET.test(message)) return OBJECT_RESET;
  return undefined;
}

const OVERLOADED: PlatformFailure = {
  kind: "overloaded",
  title: "Overloaded",
  detail: "The ecosystem has more calls waiting than it can answer. Try again.",
  retryAfterMs: 1_000,
  repeatAtOnce: false,
};

const OBJECT_RESET: PlatformFailure = {
  kind: "object-reset",
  title: "The object was restarted",
  detail:
    "The platform restarted the object in the midst of the call, and nothing says whether the call was carried out. Try again.",
  retryAfterMs: 1_000,
  repeatAtOnce: true,
};

/** A deployment renews the Worker before the objects that are busy. */
const VERSION_SKEW: PlatformFailure = {
  kind: "version-skew",
  title: "The edge is being updated",
  detail: "The object still runs the version before, which does not have this call. Nothing was done. Try again.",
  retryAfterMs: 5_000,
  repeatAtOnce: true,
};
