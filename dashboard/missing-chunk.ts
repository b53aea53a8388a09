/** Remembers, for this tab, the reload that a missing file caused. */
const KEY = "ganglion.reloaded-at";
/** A file that is missing again so soon after a reload is missing for another reason. */
const AGAIN_MS = 60_000;

/**
 * Loads the page again, once, where a part of it is no longer there: the page is older than the edge, which was deployed
 * meanwhile and keeps the files of one build before its own. Where the file is missing after that, too, the error stands.
 */
export function reloadOnMissingChunk(): void {
  window.addEventListener("vite:preloadError", (event) => {
    const reloadedMs = Number(sessionStorage.getItem(KEY) ?? Number.NEGATIVE_INFINITY);
    if (Date.now() - reloadedMs < AGAIN_MS) return;
    sessionStorage.setItem(KEY, String(Date.now()));
    event.preventDefault();
    location.reload();
  });
}
