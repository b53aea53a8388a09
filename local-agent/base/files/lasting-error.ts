import * as z from "zod";
import { OutsidePath } from "./path-inside.ts";

/** Codes of the kernel that the same call gets again and again. */
const LASTING_CODES = new Set(["ENAMETOOLONG", "EISDIR", "ENOTDIR", "ELOOP", "EINVAL", "EILSEQ"]);

/** An item that will be refused each time that it is tried. */
export class LastingRefusal extends Error {
  override readonly name = "LastingRefusal";
}

/**
 * Whether trying again would fail the same way: the item itself is the cause, and becomes a dead letter at once. All other
 * errors, such as those of a full disk or of an edge that is away, may pass.
 */
export function isLasting(error: unknown): boolean {
  if (error instanceof LastingRefusal || error instanceof OutsidePath) return true;
  if (error instanceof SyntaxError || error instanceof RangeError || error instanceof z.ZodError) return true;
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" && LASTING_CODES.has(code);
}
