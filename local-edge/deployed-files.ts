/** How a hashed file of the dashboard is named, in pages by its path and in scripts beside each other. */
const NAME = /(?:assets\/|\.\/)([\w-]+-[\w-]{8}\.(?:js|css))/g;
/** Pages of the dashboard. What they load names everything else. */
const PAGES = ["app/", "login", "docs"] as const;
const TIMEOUT_MS = 20_000;
/** More than any build has. */
const MAX_FILES = 200;

/**
 * The files of the dashboard that a deployed edge serves now, by their names below `/app/`: what its pages name, and what these
 * files name in turn. Pages that are open at the next deployment ask for them.
 *
 * @param url - of the edge
 */
export async function deployedFiles(url: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const asked = new Set<string>();
  const read = async (text: string): Promise<void> => {
    const names = [...text.matchAll(NAME)].map(([, name = ""]) => name).filter((name) => !asked.has(name));
    for (const name of names) asked.add(name);
    if (asked.size > MAX_FILES)
      throw new Error(`${url} names more than ${MAX_FILES} files: it is no edge of this kind`);
    await Promise.all(
      [...new Set(names)].map(async (name) => {
        const found = await textAt(url, `app/assets/${name}`);
        if (found === undefined) return;
        files[`assets/${name}`] = found;
        await read(found);
      }),
    );
  };
  for (const page of PAGES) await read((await textAt(url, page)) ?? "");
  return files;
}

/** @returns `undefined`: there is no such file, such as a name in a script that is none */
async function textAt(url: string, path: string): Promise<string | undefined> {
  const target = new URL(path, url.endsWith("/") ? url : `${url}/`);
  const answer = await fetch(target, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw new Error(`${target} answers ${answer.status}`);
  return answer.text();
}
