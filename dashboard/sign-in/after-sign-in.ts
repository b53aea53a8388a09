const HOME = "/app/";

/** Where the page goes after signing in: to the page of the dashboard that led here (`?next=`), and to no other. */
export function afterSignIn({ search, origin }: { readonly search: string; readonly origin: string }): string {
  const next = URL.parse(new URLSearchParams(search).get("next") ?? HOME, origin);
  if (next === null || next.origin !== origin || !next.pathname.startsWith(HOME)) return HOME;
  return next.pathname + next.search + next.hash;
}
