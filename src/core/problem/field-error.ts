/** One thing wrong with a document. `pointer` is a JSON pointer (RFC 6901) to it. */
export interface FieldError {
  readonly pointer: string;
  readonly message: string;
}
