/**
 * Whether an Accept header names one of these media types, and JSON no more than them. A range (`*` in it) names nothing:
 * who takes anything gets JSON.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-accept
 */
export function accepts(header: string | undefined, types: readonly string[]): boolean {
  if (header === undefined) return false;
  const weights = new Map<string, number>();
  for (const range of header.toLowerCase().split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const weight = Number(parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1");
    if (!Number.isNaN(weight)) weights.set(type, Math.max(weight, weights.get(type) ?? 0));
  }
  const wanted = Math.max(...types.map((type) => weights.get(type) ?? 0));
  return wanted > 0 && wanted >= (weights.get("application/json") ?? 0);
}
