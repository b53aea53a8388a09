/** The version of a store that cannot be read by the code that opened it. */
export class NewerSchema extends Error {
  constructor(object: string, stored: number, known: number) {
    super(
      `newer-schema: ${object} was stored with schema version ${stored}, and this release knows versions up to ${known}. ` +
        "Nothing was changed. Deploy the newer release again.",
    );
  }
}

/** What a {@link NewerSchema} says, where an error is one: calls between objects keep the message of an error alone. */
export function newerSchemaOf(error: unknown): string | undefined {
  return error instanceof Error ? /newer-schema: (.*)$/s.exec(error.message)?.[1] : undefined;
}

/** Passes by itself: the API answers it with 503. */
export class Suspended extends Error {
  constructor() {
    super("suspended: the ecosystem is being exported, imported or deleted. Try again in a few seconds.");
  }
}

/** What a {@link Suspended} says, where an error is one. */
export function suspendedText(error: unknown): string | undefined {
  return error instanceof Error ? /suspended: (.*)$/s.exec(error.message)?.[1] : undefined;
}
