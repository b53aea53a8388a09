import { DEFAULT_LIMITS, type SessionLimits } from "./verdict.ts";

/** Variables of the deployment, in seconds. */
export interface SessionVariables {
  readonly SESSION_WAITING_SECONDS?: string;
  readonly SESSION_FROZEN_SECONDS?: string;
  readonly SESSION_TOOL_SECONDS?: string;
}

/**
 * How long sessions may wait and be silent.
 *
 * @param invalid - told of a text that is no positive number: the default holds
 */
export function readSessionLimits(
  { SESSION_WAITING_SECONDS, SESSION_FROZEN_SECONDS, SESSION_TOOL_SECONDS }: SessionVariables,
  invalid: (setting: string, text: string) => void,
): SessionLimits {
  const ms = (setting: string, text: string | undefined, fallback: number): number => {
    if (text === undefined || text === "") return fallback;
    const seconds = Number(text);
    if (Number.isFinite(seconds) && seconds > 0) return seconds * 1_000;
    invalid(setting, text);
    return fallback;
  };
  return {
    waitingMs: ms("SESSION_WAITING_SECONDS", SESSION_WAITING_SECONDS, DEFAULT_LIMITS.waitingMs),
    frozenMs: ms("SESSION_FROZEN_SECONDS", SESSION_FROZEN_SECONDS, DEFAULT_LIMITS.frozenMs),
    toolMs: ms("SESSION_TOOL_SECONDS", SESSION_TOOL_SECONDS, DEFAULT_LIMITS.toolMs),
  };
}
