/** As `URL.parse`, which Node knows from 22 on. @returns `null`: the text is no URL */
export const parseUrl = (text: string): URL | null => (URL.canParse(text) ? new URL(text) : null);
