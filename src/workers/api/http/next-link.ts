/**
 * The header `Link` of a page (RFC 8288), for clients that go on by it. JSON has the same in `next`.
 *
 * @param next - what the next page is asked for with, as `after`; none: this page is the last
 */
export function nextLink(url: string, next: string | number | null | undefined): Record<string, string> {
  if (next === null || next === undefined) return {};
  const { pathname, searchParams } = new URL(url);
  searchParams.set("after", String(next));
  return { Link: `<${pathname}?${searchParams}>; rel="next"` };
}
