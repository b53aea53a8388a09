/** Where Cloudflare makes objects near, when nobody is near them yet. */
const LOCATION_HINTS = [
  "wnam",
  "enam",
  "sam",
  "weur",
  "eeur",
  "apac",
  "apac-ne",
  "apac-se",
  "oc",
  "afr",
  "me",
] as const;
/** Bounds that the objects and their data never leave. */
const JURISDICTIONS = ["eu", "fedramp", "fedramp-high", "us"] as const;

/** Variables of the deployment that say where its objects are. */
export interface PlacementVariables {
  /** One of {@link LOCATION_HINTS}. Counts for objects that do not exist yet: an object never moves. */
  readonly LOCATION_HINT?: string;
  /** One of {@link JURISDICTIONS}. Part of the id of each object: with another value the deployment begins empty. */
  readonly JURISDICTION?: string;
}

export interface Placement {
  readonly locationHint: (typeof LOCATION_HINTS)[number] | undefined;
  readonly jurisdiction: (typeof JURISDICTIONS)[number] | undefined;
}

/** A variable of the deployment that cannot be used. Nothing works until somebody has set it right. */
export class SettingError extends Error {}

/**
 * @throws SettingError for a value that does not exist. A default in its place would make objects where they must not be, and
 * they stay where they were made.
 */
export function readPlacement({ LOCATION_HINT, JURISDICTION }: PlacementVariables): Placement {
  return {
    locationHint: oneOf("LOCATION_HINT", LOCATION_HINT, LOCATION_HINTS),
    jurisdiction: oneOf("JURISDICTION", JURISDICTION, JURISDICTIONS),
  };
}

/** The value that a variable has; `undefined`: it is not set. @throws SettingError for a value that does not exist */
export function oneOf<Value extends string>(name: string, text: string | undefined, values: readonly Value[]) {
  if (text === undefined || text === "") return undefined;
  const value = values.find((one) => one === text);
  if (value !== undefined) return value;
  throw new SettingError(
    `The variable ${name} is ${JSON.stringify(text.slice(0, 40))}: set it to one of ${values.join(", ")}, or remove it.`,
  );
}
