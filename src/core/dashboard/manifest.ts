import * as z from "zod";

/** What a page of the dashboard loads: names of files below {@link DASHBOARD_BASE}. */
const PageFiles = z.object({
  script: z.string(),
  styles: z.array(z.string()).readonly(),
  /** Scripts that the first one imports. */
  preload: z.array(z.string()).readonly(),
});
export type PageFiles = Readonly<z.infer<typeof PageFiles>>;

/** Written by the build of the dashboard (`local-edge/build-dashboard.ts`). */
export const DashboardManifest = z.object({ pages: z.record(z.string(), PageFiles) });
export type DashboardManifest = Readonly<z.infer<typeof DashboardManifest>>;

/** Where the files of the dashboard lie, and its pages. */
export const DASHBOARD_BASE = "/app/";
export const MANIFEST_FILE = "manifest.json";
