/** A JSON object as somebody typed it. @throws an error that says what is wrong */
export function readObject(text: string): Record<string, unknown> {
  const read: unknown = JSON.parse(text);
  if (typeof read !== "object" || read === null || Array.isArray(read))
    throw new Error('give a JSON object, such as {"step": 3}');
  return read as Record<string, unknown>;
}
