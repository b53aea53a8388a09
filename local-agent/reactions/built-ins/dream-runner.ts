import * as z from "zod";
import { commandFields } from "../command-settings.ts";
import type { BuiltInDefaults } from "./built-in.ts";

/** Runs a dream cycle: the command gets the trigger on standard input, and the JSON that it prints becomes facts. */
export const DreamRunnerSettings = z.strictObject({ built_in: z.literal("dream-runner"), ...commandFields });

export const DREAM_RUNNER: BuiltInDefaults = {
  when: ["Q_DREAM_TRIGGER"],
  completed: "Q_DREAM_COMPLETE",
  failed: "Q_DREAM_FAILED",
  passOn: ["reason", "topic", "promotion_count"],
};
