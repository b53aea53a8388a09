/** Who has taken a task on. It stands in the name of the file, so that one rename claims and tells. */
export interface Claim {
  readonly taskId: string;
  /** Chosen when the task was first claimed; a take-over keeps it. What was finished under it is not run again. */
  readonly nonce: string;
  readonly owner: Owner;
}

/** A process of a host that cannot be taken for another one. */
export interface Owner {
  readonly host: string;
  /** First eight digits of the identity of the host's boot. */
  readonly boot: string;
  readonly pid: number;
  /** Start of the process in clock ticks since the boot: numbers of processes are used again. */
  readonly start: number;
}

const NAME =
  /^([A-Za-z0-9][A-Za-z0-9._-]{0,127})~([0-9a-f]{12})~([A-Za-z0-9._-]{1,128})~([0-9a-f]{8})~(\d{1,10})~(\d{1,16})\.json$/;

/** `<task id>~<nonce>~<host>~<boot>~<pid>~<start>.json` */
export function claimFileName({ taskId, nonce, owner: { host, boot, pid, start } }: Claim): string {
  return `${taskId}~${nonce}~${host}~${boot}~${pid}~${start}.json`;
}

/** @returns `undefined` for the name of something that is no claim */
export function readClaimFileName(name: string): Claim | undefined {
  const [, taskId, nonce, host, boot, pid, start] = NAME.exec(name) ?? [];
  if (taskId === undefined || nonce === undefined || host === undefined || boot === undefined) return undefined;
  return { taskId, nonce, owner: { host, boot, pid: Number(pid), start: Number(start) } };
}

export interface Observer {
  readonly host: string;
  /** Whether that process of this host still runs. */
  readonly runs: (owner: Owner) => boolean;
  /** Claims are renewed by their owners; one of another host that is this old has no owner any more. */
  readonly staleMs: number;
}

/**
 * Whether nobody works on a claimed task any more. A process of this host can be looked up; one of another host that
 * shares the directory is known by the time at which it last touched its claim.
 */
export function isAbandoned({ owner }: Claim, ageMs: number, { host, runs, staleMs }: Observer): boolean {
  return owner.host === host ? !runs(owner) : ageMs > staleMs;
}
