/** A name as it may stand in a sensor's id or a site: `Al Wakrah` -> `al-wakrah`. Empty when no Latin letter or digit is left. */
export function slug(text: string): string {
  return text
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 64);
}
