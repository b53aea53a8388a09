/** For a `catch`: that a file is not there is no error. @throws any other */
export function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
