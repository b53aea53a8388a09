import { Command } from "commander";
import { isLoopback } from "../../../src/core/access/allowed-hosts.ts";
import { print, remark } from "../../output.ts";
import { clientFor, edgeFor, type GlobalOptions } from "../../settings.ts";
import { openBrowser } from "./open-browser.ts";

interface OpenOptions {
  readonly act?: true;
  readonly print?: true;
}

export const openCommand = () =>
  new Command("open")
    .summary("open the dashboard in the browser, signed in")
    .option("--act", "let the session change what the token may change (default: it only reads)")
    .option("--print", "print the address instead of opening it: for a browser elsewhere, within a minute and once")
    .addHelpText("after", "\nWith --json: one document, with the address in `url`; with --print nothing is opened.")
    .action(async (options: OpenOptions, command: Command) => {
      const { code, path, act, expires_at } = await clientFor(command).sessions.createCode(options.act === true);
      const edge = new URL(edgeFor(command).url);
      const url = new URL(path, edge).href;
      const opened = options.print !== true && (await openBrowser(url));
      if (edge.protocol !== "https:" && !isLoopback(edge.hostname))
        remark("Browsers keep a session over HTTPS or on 127.0.0.1 alone: this address has neither.");
      if (command.optsWithGlobals<GlobalOptions>().json === true)
        return print(JSON.stringify({ url, code, act, expires_at, opened }));
      if (opened)
        return remark(
          `Opened ${edge.origin} in the browser. ${act ? "The session may change things." : "The session only reads; --act opens one that may change things."}`,
        );
      if (options.print !== true) remark("No browser could be opened here. Open this address within a minute:");
      await print(url);
    });
