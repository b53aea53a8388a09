/** How far an action on many items is. */
export interface Progress {
  readonly done: number;
  readonly all: number;
  readonly failed: readonly { readonly id: string; readonly why: string }[];
}

/** Calls that are under way at the same time. */
const AT_A_TIME = 4;

/** Acts on each of many items, a few at a time, and says after each how far that is. One that fails stops no other. */
export async function actOnEach<Item>(
  items: readonly Item[],
  idOf: (item: Item) => string,
  act: (item: Item) => Promise<unknown>,
  progress: (progress: Progress) => void,
): Promise<Progress> {
  const rest = items.values();
  const failed: { id: string; why: string }[] = [];
  let done = 0;
  const state = (): Progress => ({ done, all: items.length, failed: [...failed] });
  const work = async () => {
    for (const item of rest) {
      try {
        await act(item);
        done++;
      } catch (error) {
        failed.push({ id: idOf(item), why: error instanceof Error ? error.message : String(error) });
      }
      progress(state());
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return state();
}
