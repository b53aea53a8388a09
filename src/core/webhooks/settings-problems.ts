import { ExpressionError } from "../policy/expression.ts";
import type { FieldError } from "../problem/field-error.ts";
import { compileTemplate } from "./formats/template.ts";
import { ntfyTarget } from "./ntfy-target.ts";
import type { EndpointSettings } from "./settings.ts";

/** What of an endpoint's settings does not go together, or is missing. */
export function settingsProblems(
  { format, template, routing_key: key, topic }: EndpointSettings,
  url: string,
): FieldError[] {
  const problems: FieldError[] = [];
  if (template !== undefined && format !== undefined)
    problems.push({
      pointer: "/template",
      message: `a template makes the body itself, and so does the format ${format}: give one of them`,
    });
  if (template !== undefined) {
    try {
      compileTemplate(template);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      problems.push({ pointer: "/template", message: error.message });
    }
  }
  if (format === "pagerduty" && key === undefined)
    problems.push({
      pointer: "/routing_key",
      message: "give the integration key of the service of PagerDuty (Events API v2)",
    });
  if (format === "ntfy" && ntfyTarget(url, topic) === undefined)
    problems.push({
      pointer: "/topic",
      message: "give the topic, here or as the last part of the URL (https://ntfy.sh/topic)",
    });
  return problems;
}
