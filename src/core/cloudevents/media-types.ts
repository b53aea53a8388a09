/** @see https://github.com/cloudevents/spec/blob/main/cloudevents/formats/json-format.md */
export const EVENT_TYPE = "application/cloudevents+json";
export const BATCH_TYPE = "application/cloudevents-batch+json";
/** Every form that carries attributes in its body begins so. */
export const EVENT_TYPE_PREFIX = "application/cloudevents";

/** A media type without its parameters, in lower case. */
export const essenceOf = (contentType: string): string => (contentType.split(";", 1)[0] ?? "").trim().toLowerCase();

/** Whether data of this content type is JSON. */
export function isJsonType(contentType: string): boolean {
  const essence = essenceOf(contentType);
  return essence === "application/json" || essence === "text/json" || essence.endsWith("+json");
}

const TEXTS: readonly string[] = [
  "application/xml",
  "application/yaml",
  "application/javascript",
  "application/x-www-form-urlencoded",
];

/** Whether data of this content type is text in UTF-8. */
export function isTextType(contentType: string): boolean {
  const essence = essenceOf(contentType);
  if (!essence.startsWith("text/") && !essence.endsWith("+xml") && !TEXTS.includes(essence)) return false;
  const [, charset] = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType) ?? [];
  return charset === undefined || /^(utf-?8|us-ascii)$/i.test(charset);
}
