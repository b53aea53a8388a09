import * as z from "zod";

/** The answer to a call that only succeeds or fails: its body is ignored. */
export const NoAnswer = z.unknown().transform((): void => undefined);
