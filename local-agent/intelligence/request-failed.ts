import type { ErrorCode } from "../../src/core/intelligence/error-codes.ts";

/** A request that cannot be answered, in the words of the answer that says so. */
export class RequestFailed extends Error {
  override readonly name = "RequestFailed";
  readonly code: ErrorCode;
  /** What the asker can do. */
  readonly action: string | null;
  readonly place: { readonly line: number; readonly column: number } | undefined;

  constructor(code: ErrorCode, message: string, action: string | null = null, place?: RequestFailed["place"]) {
    super(message);
    this.code = code;
    this.action = action;
    this.place = place;
  }
}
