/** What the edge uses of Node's module, which the runtime offers by `nodejs_compat`. All of Node's types would hide what it does not offer. */
declare module "node:zlib" {
  interface UnpackOptions {
    /** More output than this ends the unpacking with a RangeError. */
    readonly maxOutputLength: number;
  }
  /** Unpacks gzip and zlib, told apart by their headers. */
  export function unzipSync(data: Uint8Array, options: UnpackOptions): Uint8Array;
  /** Unpacks a bare deflate stream. */
  export function inflateRawSync(data: Uint8Array, options: UnpackOptions): Uint8Array;
}
