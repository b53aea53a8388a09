/** What is exchanged for a session. */
export type SessionStart = { readonly code: string } | { readonly token: string; readonly act: boolean };

const PATH = "/v1/sessions/current";
/** A header that no page of another origin can add, and no form. */
const OWN = { "Ganglion-Session": "1" };

/** @returns why no session began; `undefined`: it began */
export async function beginSession(start: SessionStart): Promise<string | undefined> {
  try {
    const answer = await fetch(PATH, {
      method: "POST",
      headers: { ...OWN, "Content-Type": "application/json" },
      body: JSON.stringify(start),
    });
    return answer.ok ? undefined : await faultIn(answer);
  } catch {
    return "The edge does not answer. Check that it runs, and try again.";
  }
}

/** Whether this browser has a session. */
export async function signedIn(): Promise<boolean> {
  const answer = await fetch(PATH, { headers: OWN });
  return answer.ok;
}

async function faultIn(answer: Response): Promise<string> {
  const problem: unknown = await answer.json().catch(() => undefined);
  if (answer.status === 401) return "The edge did not accept the token. Paste a valid one, or run ganglion open.";
  const detail = typeof problem === "object" && problem !== null && "detail" in problem ? problem.detail : undefined;
  // Marks of code are for those who read the answer itself.
  return typeof detail === "string" ? detail.replaceAll("`", "") : `The edge answered ${answer.status}.`;
}
