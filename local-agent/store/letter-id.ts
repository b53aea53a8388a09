/**
 * A dead letter of this host gets the present name before its id where it was written under a former one: the edge takes
 * from a host only those whose ids begin with its name.
 */
export function letterIdUnder(host: string, id: string): string {
  return id.startsWith(`${host}.`) ? id : `${host}.${id}`;
}

/** Whether `sent` is the id of the dead letter `own` of this host, under its present or a later name. */
export function isSameLetter(sent: string, own: string): boolean {
  return sent === own || sent.endsWith(`.${own}`);
}
