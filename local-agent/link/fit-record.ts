/**
 * The record, with its largest fields replaced until its JSON takes at most `maxBytes`: one field that is too large must
 * not keep the others from the edge.
 *
 * @param instead - stands in for a field of so many bytes
 */
export function fitRecord(
  record: Readonly<Record<string, unknown>>,
  maxBytes: number,
  instead: (bytes: number) => unknown,
): Readonly<Record<string, unknown>> {
  const fields = Object.entries(record)
    .map(([name, value]) => ({ name, value, bytes: Buffer.byteLength(JSON.stringify(value) ?? "") }))
    .sort((a, b) => b.bytes - a.bytes);
  let bytes = Buffer.byteLength(JSON.stringify(record));
  const fitted: Record<string, unknown> = { ...record };
  for (const field of fields) {
    if (bytes <= maxBytes) break;
    const replacement = instead(field.bytes);
    fitted[field.name] = replacement;
    bytes += Buffer.byteLength(JSON.stringify(replacement)) - field.bytes;
  }
  return fitted;
}
