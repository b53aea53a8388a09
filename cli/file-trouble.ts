/** What is wrong with a file that cannot be read or written, and what to do about it. */
export function fileTrouble(file: string, error: unknown): string {
  const { code = "unknown error" } = error as NodeJS.ErrnoException;
  const known: Readonly<Record<string, string>> = {
    ENOENT: `there is no file ${file}: check the name, from this directory`,
    ENOTDIR: `${file} does not exist: a part of its path is a file`,
    EISDIR: `${file} is a directory: name a file`,
    EACCES: `${file} may not be read or written by this user: change its permissions, or name another file`,
    EROFS: `${file} lies on a file system that takes no changes: name a file elsewhere`,
    ENOSPC: `there is no room left on the disk of ${file}`,
    EEXIST: `${file} is there already: name a new file`,
  };
  return known[code] ?? `${file} cannot be read or written (${code})`;
}
