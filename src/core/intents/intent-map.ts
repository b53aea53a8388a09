import { PRIORITIES } from "../signals/known-signals.ts";

/** Where one fact comes from. Plain data, so that a configuration file can hold a map. */
export interface FactSource {
  /** Paths into the intent, such as `data.question`; the first whose value is neither absent, null nor empty counts. */
  readonly from: readonly string[];
  /**
   * A string with `{path}` in it, instead of `from`. A template that is nothing but `{path}` gives the value at the path,
   * with its JSON type; `{rest}` is the part of the intent's type that the pattern's `*` matched.
   */
  readonly template?: string;
  /**
   * Default when no path leads to a value. In a string, `{rest}` is the part of the intent's type that the pattern's `*`
   * matched; where that part is empty, there is no default.
   */
  readonly otherwise?: unknown;
  /**
   * `text`: a string; a number is converted. `texts`: a list of strings; a single string becomes a list of one. `json`:
   * any value, unchanged. Default: a string.
   */
  readonly as?: "text" | "texts" | "json";
  readonly oneOf?: readonly string[];
  /** If no value is found, the fact is left out, instead of refusing the intent. */
  readonly optional?: boolean;
}

/** Intents of these types become this signal. */
export interface IntentRoute {
  /** Types, in which `*` stands for any characters. */
  readonly types: readonly string[];
  readonly signal: string;
  readonly facts: Readonly<Record<string, FactSource>>;
  /** `false`: fields of `data` that no fact names are dropped. */
  readonly data?: false;
}

const QUESTION_FACTS = {
  question_id: { from: ["data.question_id", "id"], as: "text" },
  priority: { from: ["data.priority"], otherwise: "normal", oneOf: PRIORITIES },
  evidence: { from: ["data.evidence"], otherwise: [], as: "texts" },
  intent_type: { from: ["type"] },
} as const satisfies Record<string, FactSource>;

/** The first route that matches counts. */
export const INTENT_MAP: readonly IntentRoute[] = [
  {
    types: ["discover.module", "discover.module.*"],
    signal: "Q_CURIOSITY_INVESTIGATE",
    facts: {
      question: {
        from: ["data.question"],
        otherwise: "What does the module {rest} do, and should it become one of our capabilities?",
      },
      ...QUESTION_FACTS,
    },
  },
  {
    types: ["reinvestigate", "reinvestigate.*"],
    signal: "Q_CURIOSITY_INVESTIGATE",
    facts: {
      question: { from: ["data.question"], otherwise: "What has changed about {rest} since it was last investigated?" },
      ...QUESTION_FACTS,
    },
  },
  {
    types: [
      "question",
      "question.*",
      "*.question",
      "generic",
      "generic.*",
      "curiosity.*",
      "investigate.*",
      "ask",
      "ask.*",
    ],
    signal: "Q_CURIOSITY_INVESTIGATE",
    facts: { question: { from: ["data.question"] }, ...QUESTION_FACTS },
  },
];
