import { SIGNAL_NAME } from "../signals/signal.ts";

/** Names of the three signals by which code is asked about. */
export interface Topics {
  readonly request: string;
  readonly completed: string;
  readonly failed: string;
}

/** The environment's name in a topic: `dev` for development, otherwise its own. */
export function environmentPart(environment: string): string {
  const name = environment.trim().toLowerCase();
  return name === "" || name === "development" ? "dev" : name;
}

/**
 * The topics `{env}.{service}.{domain}.{event}.{version}` of an environment.
 *
 * @param environment - such as `development`, `staging` or `production`
 */
export function topicsOf(environment: string): Topics {
  const name = (event: string) =>
    `${environmentPart(environment)}.archon-intelligence.intelligence.code-analysis-${event}.v1`;
  return { request: name("requested"), completed: name("completed"), failed: name("failed") };
}

/** Whether a text can be a topic here: topics are names of signals. */
export const isTopic = (text: string): boolean => SIGNAL_NAME.test(text);

export const TOPIC_RULE =
  "a topic starts with a letter and holds letters, digits and _ . : - (128 characters at most), such as dev.archon-intelligence.intelligence.code-analysis-requested.v1";
