/** `stop` may come before `start`, or twice; it resolves when nothing of the service is left running. */
export interface Service {
  readonly name: string;
  /** Longest time that `stop` may take, in milliseconds; default 12,000. */
  readonly stopMs?: number;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A source or sink as the agent shows it to people. */
export interface Report {
  readonly name: string;
  /** `live`: at work. `absent`: there is nothing to read here, which is normal. `off`: switched off. `failing`: see `detail`. */
  readonly state: "starting" | "live" | "absent" | "off" | "failing";
  readonly detail: string;
  /** It can do nothing while the edge is away: no reason to call the host itself unready. */
  readonly needsEdge?: true;
}

/** A service that people want to know about. `onChange` hears every change of `report`. */
export interface ReportingService extends Service {
  report(): Report;
  onChange(listener: () => void): void;
}

export function isReporting(service: Service): service is ReportingService {
  return "report" in service;
}

/** A failure that a person can put right: shown without a stack. */
export class ExpectedError extends Error {
  override readonly name = "ExpectedError";
}
