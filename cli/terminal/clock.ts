/** The time zone of the person at the terminal: that of `TZ`, where it names one, or that of the machine. */
export function localZone(): string {
  const { TZ } = process.env;
  const own = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (TZ === undefined || TZ === "") return own;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: TZ }).resolvedOptions().timeZone;
  } catch {
    return own; // such as `CET-1CEST`: no name of a time zone
  }
}
