export interface SomePages<Item> {
  readonly items: readonly Item[];
  /** There are more. */
  readonly more: boolean;
}

/** Reads a list page by page, so many pages of it at most. @param load - reads the page after a place; the first after none */
export async function inPages<Item, Place>(
  pages: number,
  load: (after?: Place) => Promise<{ readonly items: readonly Item[]; readonly next: Place | null }>,
): Promise<SomePages<Item>> {
  const items: Item[] = [];
  let after: Place | undefined;
  for (let page = 0; page < pages; page++) {
    const found = await load(after);
    items.push(...found.items);
    if (found.next === null) return { items, more: false };
    after = found.next;
  }
  return { items, more: true };
}
