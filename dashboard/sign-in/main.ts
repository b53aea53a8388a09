import { afterSignIn } from "./after-sign-in.ts";
import { beginSession, type SessionStart, signedIn } from "./begin-session.ts";
import "./sign-in.css";

/**
 * The page to which `ganglion open` leads: it exchanges the code in the fragment of its address for a session. Without a code
 * it asks for a token, and exchanges that, once. Neither is kept anywhere.
 */

const place = document.getElementById("app");
if (place === null) throw new Error('the page has no element with the id "app"');
const page: HTMLElement = place;

const code = location.hash.slice(1);
// Neither the history nor a copied address holds the code.
if (code !== "") history.replaceState(null, "", location.pathname + location.search);
// A link to this page that is opened in the same tab changes the fragment alone.
window.addEventListener("hashchange", () => location.reload());

if (code === "") showForm();
else {
  show(heading("Signing in"), text("p", "The edge exchanges the code for a session."));
  void signIn({ code });
}

async function signIn(start: SessionStart): Promise<void> {
  const fault = (await beginSession(start)) ?? (await keptCookie());
  if (fault === undefined) location.replace(afterSignIn(location));
  else showForm(fault);
}

/** The edge began the session, and the browser may have dropped its cookie. */
async function keptCookie(): Promise<string | undefined> {
  if (await signedIn()) return undefined;
  return (
    "This browser did not keep the cookie of the session. Browsers keep it over HTTPS, and on 127.0.0.1 or localhost: " +
    "call the edge by one of these, for instance through ssh -L 8787:127.0.0.1:8787."
  );
}

function showForm(fault?: string): void {
  const token = input("password", "token");
  token.required = true;
  token.autocomplete = "off";
  token.spellcheck = false;
  const act = input("checkbox", "act");
  const button = text("button", "Sign in");
  const form = document.createElement("form");
  form.append(
    labelled("Token", token),
    labelled("Let this session change things, as far as the token may", act),
    button,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    button.setAttribute("disabled", "");
    void signIn({ token: token.value.trim(), act: act.checked });
  });
  const command = text("code", "ganglion open");
  const hint = text("p", "Run ");
  hint.append(
    command,
    " in a terminal, and this page opens signed in. Or paste a token; this browser does not keep it.",
  );
  const alert = text("p", fault ?? "");
  alert.setAttribute("role", "alert");
  alert.className = "fault";
  show(heading("Sign in to Ganglion"), hint, alert, form);
  token.focus();
}

function show(...parts: HTMLElement[]): void {
  const main = document.createElement("main");
  main.append(...parts);
  page.replaceChildren(main);
}

function heading(words: string): HTMLElement {
  return text("h1", words);
}

function text<Name extends keyof HTMLElementTagNameMap>(name: Name, words: string): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  element.textContent = words;
  return element;
}

function input(type: string, name: string): HTMLInputElement {
  const element = document.createElement("input");
  element.type = type;
  element.name = name;
  return element;
}

function labelled(words: string, control: HTMLInputElement): HTMLLabelElement {
  const label = document.createElement("label");
  label.className = control.type;
  const caption = text("span", words);
  label.append(...(control.type === "checkbox" ? [control, caption] : [caption, control]));
  return label;
}
