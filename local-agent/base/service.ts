/** `stop` may come before `start`, or twice; it resolves when nothing of the service is left running. */
export interface Service {
  readonly name: string;
  /** Longest time that `stop` may take, in milliseconds; default 12,000. */
  readonly stopMs?: number;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** The state of a service, for people. */
export interface Report {
  readonly name: string;
  /** `live`: working. `absent`: this host has nothing to read, which is normal. `off`: switched off. `failing`: see `detail`. */
  readonly state: "starting" | "live" | "absent" | "off" | "failing";
  readonly detail: string;
  /** The service depends on the edge: while the edge is away, the host is ready all the same. */
  readonly needsEdge?: true;
}

/** A service with a state for people. `onChange` adds a listener that is called after each change of `report`. */
export interface ReportingService extends Service {
  report(): Report;
  onChange(listener: () => void): void;
}

export function isReporting(service: Service): service is ReportingService {
  return "report" in service;
}

/** An error that a person can fix: shown without a stack trace. */
export class ExpectedError extends Error {
  override readonly name = "ExpectedError";
}
