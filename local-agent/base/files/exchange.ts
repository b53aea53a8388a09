const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;
const EINTR = 4;
const EINVAL = 22;
const ENOSYS = 38;
const ENOENT = 2;

type Rename = (from: string, to: string) => number;
let library: Promise<Rename | undefined> | undefined;

/** @returns `false` where neither library nor file system can do it; nothing has changed then */
export type Exchange = (one: string, other: string) => boolean;

/**
 * A call that puts two files, links or directories of one file system into each other's place, in one step: whoever opens
 * either name meets the one or the other, and what stood there last is not lost but under the other name. Node has none,
 * so that the C library is asked. It does not wait: what is done about what came out should follow at once.
 *
 * The call throws an Error with its `code` where one of the two is not there, and for everything else.
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
      throw Object.assign(new Error(`${code}: ${one} and ${other} could not be exchanged`), { code });
    }
  };
}

async function load(): Promise<Rename | undefined> {
  try {
    // Not at the top: a host that replaces nobody's files need not pay for it.
    const { default: koffi } = await import("koffi");
    const renameat2 = koffi
      .load("libc.so.6")
      .func("int renameat2(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, unsigned int flags)");
    return (from, to) => (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) === 0 ? 0 : koffi.errno());
  } catch {
    return undefined;
  }
}
