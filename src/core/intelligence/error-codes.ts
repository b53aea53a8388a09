/** Why a request failed, and whether the same request may succeed later. */
const RETRY_ALLOWED = {
  INVALID_INPUT: false,
  UNSUPPORTED_LANGUAGE: false,
  PARSING_ERROR: false,
  INVALID_OPERATION: false,
  TIMEOUT: true,
  EXTERNAL_SERVICE_ERROR: true,
  INTERNAL_ERROR: true,
  RATE_LIMIT_EXCEEDED: true,
  PATTERN_QUERY_FAILED: true,
  BACKEND_UNAVAILABLE: true,
} as const;

export type ErrorCode = keyof typeof RETRY_ALLOWED;
export const ERROR_CODES = Object.keys(RETRY_ALLOWED) as readonly ErrorCode[];

/** Codes of later writers that have another name here. */
const LATER_NAMES: Readonly<Record<string, ErrorCode>> = {
  SERVICE_UNAVAILABLE: "BACKEND_UNAVAILABLE",
  RATE_LIMITED: "RATE_LIMIT_EXCEEDED",
  UNKNOWN: "INTERNAL_ERROR",
};

export const isRetryAllowed = (code: ErrorCode): boolean => RETRY_ALLOWED[code];

/** Reads a code in either case. One that nobody knows counts as `INTERNAL_ERROR`, which may be tried again. */
export function readErrorCode(text: string): ErrorCode {
  const upper = text.trim().toUpperCase().replaceAll("-", "_");
  return ERROR_CODES.find((code) => code === upper) ?? LATER_NAMES[upper] ?? "INTERNAL_ERROR";
}
