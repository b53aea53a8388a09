import { authorise, type Grant } from "../../../core/access/grant.ts";

/** Whether a caller may read what tasks hold. */
export const readsTasks = (grant: Grant, ecosystem: string): boolean =>
  authorise(grant, "tasks:read", ecosystem, Date.now()) === "allowed";
