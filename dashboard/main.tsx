import { render } from "preact";
import { loadEcosystems } from "./base/ecosystems.ts";
import { startOverview } from "./base/overview.ts";
import { startRouter } from "./base/router.ts";
import { startSession } from "./base/session.ts";
import { startTheme } from "./base/theme.ts";
import { startClock } from "./base/time.ts";
import { reloadOnMissingChunk } from "./missing-chunk.ts";
import { startKeyboard } from "./shell/keyboard.ts";
import { Shell } from "./shell/shell.tsx";
import "./styles.css";

reloadOnMissingChunk();
startTheme();
startClock();
startRouter();
startKeyboard();
startOverview();
startSession();
void loadEcosystems();

const root = document.getElementById("app");
if (root === null) throw new Error('the page has no element with the id "app"');
root.replaceChildren();
render(<Shell />, root);
