/** For a `catch`: ignores the error of a missing file. @throws any other error */
export function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
