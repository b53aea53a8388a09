import { PRIORITIES } from "../signals/known-signals.ts";

/** Where one fact comes from. Plain data, so that a map can stand in a configuration file. */
export interface FactSource {
  /** Paths into the intent, such as `data.question`; the first that leads to something other than null counts. */
  readonly from: readonly string[];
  /**
   * A text with `{path}` in it, instead of `from`. One that is nothing but `{path}` gives what stands there, of whatever
   * kind; `{rest}` is what the `*` of the matching pattern stood for.
   */
  readonly template?: string;
  /**
   * What stands for it when none does. In a text, `{rest}` is what the `*` of the matching pattern stood for; where
   * nothing was left for it, there is no default.
   */
  readonly otherwise?: unknown;
  /** `text`: a number is written as text. `texts`: a single text becomes a list of one. `json`: whatever it is. Default: a text. */
  readonly as?: "text" | "texts" | "json";
  readonly oneOf?: readonly string[];
  /** Left out where nothing is found, instead of refusing the intent. */
  readonly optional?: boolean;
}

/** Intents of these types become this signal (R21). */
export interface IntentRoute {
  /** Types, in which `*` stands for any characters. */
  readonly types: readonly string[];
  readonly signal: string;
  readonly facts: Readonly<Record<string, FactSource>>;
  /** `false`: what else stands in `data` stays behind. */
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
    types: ["discover.module.*"],
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
    types: ["reinvestigate.*"],
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
