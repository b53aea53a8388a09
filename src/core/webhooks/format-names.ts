/** The forms of messages. */
export const FORMATS = ["raw", "cloudevents", "slack", "discord", "teams", "pagerduty", "ntfy"] as const;
