import type { Plugin, Rolldown } from "vite";

/** What Vite puts around each `import()`. */
const HELPER = "\0vite/preload-helper.js";
const PLAIN = `export const __vitePreload = (load) => load().catch((error) => {
  const event = new Event("vite:preloadError", { cancelable: true });
  event.payload = error;
  window.dispatchEvent(event);
  if (!event.defaultPrevented) throw error;
});`;

/**
 * Parts of a page that are loaded later, without Vite's own helper, which first loads the styles and parts that they need: here
 * they need none, and the helper would be a fiftieth of all scripts. A part that is gone is told of as Vite does
 * (dashboard/missing-chunk.ts).
 */
export function plainImports(): Plugin {
  return {
    name: "plain-imports",
    enforce: "pre",
    load: (id) => (id === HELPER ? PLAIN : null),
  };
}

/** @throws where a part that is loaded later has styles of its own, which nobody would load */
export function refuseLateStyles(output: Rolldown.RolldownOutput["output"]): void {
  for (const file of output)
    if (file.type === "chunk" && file.isDynamicEntry && (file.viteMetadata?.importedCss.size ?? 0) > 0)
      throw new Error(`${file.fileName} has styles of its own: import them in dashboard/styles.css`);
}
