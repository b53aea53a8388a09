const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;
const EINTR = 4;
const EINVAL = 22;
const ENOSYS = 38;
const ENOENT = 2;

type Rename = (from: string, to: string) => number;
let library: Promise<Rename | undefined> | undefined;

/** @returns `false` when the C library or the file system cannot exchange; nothing has changed then */
export type Exchange = (one: string, other: string) => boolean;

/**
 * Opens a call that exchanges two files, links or directories of one file system atomically: a reader of either name sees
 * one or the other, and the replaced content is kept under the other name. Node has no such call, so the C library is
 * used. The call is synchronous, so that the caller can check the replaced content at once.
 *
 * The call throws an Error with a `code` when one of the two does not exist, and for all other failures.
 *
 * @see renameat2(2)
 */
export async function openExchange(): Promise<Exchange> {
  library ??= load();
  const rename = await library;
  return (one, other) => {
    for (;;) {
      const errno = rename === undefined ? ENOSYS : rename(one, other);
      if (errno === 0) return true;
      if (errno === EINVAL || errno === ENOSYS) return false;
      if (errno === EINTR) continue;
      const code = errno === ENOENT ? "ENOENT" : `errno ${errno}`;
      throw Object.assign(new Error(`${code}: ${one} and ${other} cannot be exchanged`), { code });
    }
  };
}

async function load(): Promise<Rename | undefined> {
  try {
    // Loaded on demand: a host that replaces no files does not need the library.
    const { default: koffi } = await import("koffi");
    const renameat2 = koffi
      .load("libc.so.6")
      .func("int renameat2(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, unsigned int flags)");
    return (from, to) => (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) === 0 ? 0 : koffi.errno());
  } catch {
    return undefined;
  }
}
