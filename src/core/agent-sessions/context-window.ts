/** Tokens that a model takes in, by the beginning of its name. A model that is not listed has no known share. */
const WINDOWS: readonly (readonly [beginning: string, tokens: number])[] = [
  ["claude", 200_000],
  ["gpt-5", 400_000],
  ["gpt-4.1", 1_000_000],
  ["gpt-4o", 128_000],
  ["o3", 200_000],
  ["o4", 200_000],
  ["gemini", 1_000_000],
];
const MILLION = 1_000_000;

/** How full a model's context is, 0 to 1; `undefined` where the model's window is not known. */
export function contextShare(model: string | undefined, tokens: number): number | undefined {
  if (model === undefined) return undefined;
  const name = model.toLowerCase().replace(/^.*\//, "");
  const window = name.includes("[1m]") ? MILLION : WINDOWS.find(([beginning]) => name.startsWith(beginning))?.[1];
  return window === undefined ? undefined : Math.min(1, Math.round((tokens / window) * 10_000) / 10_000);
}
