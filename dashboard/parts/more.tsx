/** The next page of a list, where there is one. */
export function More({ more, onMore }: { readonly more: boolean; readonly onMore: () => void }) {
  return more ? (
    <p class="tally">
      <button type="button" onClick={onMore}>
        Load more
      </button>
    </p>
  ) : null;
}
