import { render } from "preact";
import { App } from "./app.tsx";
import { reloadOnMissingChunk } from "./missing-chunk.ts";
import "./styles.css";

reloadOnMissingChunk();

const place = document.getElementById("app");
if (place === null) throw new Error('the page has no element with the id "app"');
place.replaceChildren();
render(<App />, place);
