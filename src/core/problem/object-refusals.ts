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
