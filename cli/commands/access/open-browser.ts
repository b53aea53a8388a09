import { spawn } from "node:child_process";

/** What opens an address in the browser of a person, by platform. */
const OPENERS: Readonly<Record<string, readonly [program: string, ...first: string[]]>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};

/** An opener that has not failed after this time has the browser open; some stay until the browser is closed. */
const SETTLED_MS = 2_000;

/** @returns whether a browser was opened */
export function openBrowser(url: string, platform: NodeJS.Platform = process.platform): Promise<boolean> {
  const [program, ...first] = OPENERS[platform] ?? ["xdg-open"];
  return new Promise((resolve) => {
    const opener = spawn(program, [...first, url], { stdio: "ignore", detached: true });
    const settled = setTimeout(() => resolve(true), SETTLED_MS);
    const end = (opened: boolean) => {
      clearTimeout(settled);
      resolve(opened);
    };
    opener.once("error", () => end(false));
    opener.once("exit", (code) => end(code === 0));
    opener.unref();
  });
}
