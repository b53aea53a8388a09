/** Which process has claimed a task. The name of the file holds the claim, so that one rename claims and shows it. */
export interface Claim {
  readonly taskId: string;
  /** Random; chosen by the first claim and kept by a take-over. A task that finished under a nonce is not run again. */
  readonly nonce: string;
  readonly owner: Owner;
}

/** Identifies one process of a host. */
export interface Owner {
  readonly host: string;
  /** First eight digits of the id of the host's boot. */
  readonly boot: string;
  readonly pid: number;
  /** Start of the process in clock ticks since the boot: process ids are reused. */
  readonly start: number;
}

const NAME =
  /^([A-Za-z0-9][A-Za-z0-9._-]{0,127})~([0-9a-f]{12})~([A-Za-z0-9._-]{1,128})~([0-9a-f]{8})~(\d{1,10})~(\d{1,16})\.json$/;

/** `<task id>~<nonce>~<host>~<boot>~<pid>~<start>.json` */
export function claimFileName({ taskId, nonce, owner: { host, boot, pid, start } }: Claim): string {
  return `${taskId}~${nonce}~${host}~${boot}~${pid}~${start}.json`;
}

/** A file name has 255 bytes at most; all characters of a claim's name are ASCII. */
const MAX_NAME = 255;

/** Whether a file system can hold the claim's name: the ids of task and host are part of it. */
export function hasFileName(claim: Claim): boolean {
  return claimFileName(claim).length <= MAX_NAME;
}

/** @returns `undefined` for a file name that is not a claim */
export function readClaimFileName(name: string): Claim | undefined {
  const [, taskId, nonce, host, boot, pid, start] = NAME.exec(name) ?? [];
  if (taskId === undefined || nonce === undefined || host === undefined || boot === undefined) return undefined;
  return { taskId, nonce, owner: { host, boot, pid: Number(pid), start: Number(start) } };
}

export interface ClaimObserver {
  readonly host: string;
  /** Returns whether the process, which is of this host, still runs. */
  readonly runs: (owner: Owner) => boolean;
  /** Owners renew their claims. A claim of another host that is older than this, in milliseconds, is abandoned. */
  readonly staleMs: number;
}

/**
 * Returns whether the owner of a claim has ended. A process of this host is looked up. The owner on another host that
 * shares the directory is judged by the time since it last touched its claim.
 */
export function isAbandoned({ owner }: Claim, ageMs: number, { host, runs, staleMs }: ClaimObserver): boolean {
  return owner.host === host ? !runs(owner) : ageMs > staleMs;
}
