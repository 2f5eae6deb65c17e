export const languages = ["en", "ar"] as const;
export type Language = (typeof languages)[number];
/** One thing said in every language: a board is built from these, once a language. */
export type Text = Readonly<Record<Language, string>>;

/** U+2067 and U+2069: what stands between them is one piece that runs from right to left. */
const rightToLeft = { begin: "\u2067", end: "\u2069" };
const leftToRightLetters = /[A-Za-z0-9]/;

/**
 * Grafana lays every text out from left to right, and its text panels' HTML may not say otherwise. An Arabic text with Latin
 * letters or digits in it would come out in pieces and in the wrong order; between isolates it keeps its own.
 */
export function say(text: Text, language: Language): string {
  const said = text[language];
  return language === "ar" && leftToRightLetters.test(said)
    ? `${rightToLeft.begin}${said}${rightToLeft.end}`
    : said;
}

/** `{lang}` in a query is the language: fields such as `title_en` come in both. */
export function inLanguage(template: string, language: Language): string {
  return template.replaceAll("{lang}", language);
}
