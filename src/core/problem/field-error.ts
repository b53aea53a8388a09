import * as z from "zod";

/** One error in a document. */
export const FieldError = z.object({
  pointer: z.string().meta({ description: "JSON pointer (RFC 6901)" }),
  message: z.string(),
});
export type FieldError = Readonly<z.infer<typeof FieldError>>;
