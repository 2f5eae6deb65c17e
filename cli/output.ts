import { styleText } from "node:util";

/** The one JSON document of `--json`. */
export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

/** Colour only on a terminal, and none under NO_COLOR. */
export const paint = {
  good: (text: string): string => styleText("green", text, { stream: process.stdout }),
  bad: (text: string): string => styleText("red", text, { stream: process.stdout }),
  strong: (text: string): string => styleText("bold", text, { stream: process.stdout }),
};

/** Made when it is needed: the tables of languages take 5 MB, which a gateway's agent does without. */
let numbers: Intl.NumberFormat | undefined;

/** 12345 -> `12,345` */
export function grouped(value: number): string {
  numbers ??= new Intl.NumberFormat("en");
  return numbers.format(Math.round(value));
}

/** Milliseconds since 1970 as JSON has them: null where there is none. */
export function isoTime(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

/** Milliseconds since 1970 as `2026-01-31 05:00:00Z`; null as undefined. */
export function shortTime(time: number | null): string | undefined {
  return time === null ? undefined : `${new Date(time).toISOString().slice(0, 19).replace("T", " ")}Z`;
}
