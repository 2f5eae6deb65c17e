/** One column of a text table. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | undefined;
  /** Numbers stand right. */
  readonly align?: "left" | "right";
}

/**
 * Rows as text in aligned columns, two spaces apart, under their titles; what is undefined is a hyphen. Ends with a newline.
 */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [
    columns.map(({ title }) => printable(title)),
    ...rows.map((row) => columns.map(({ value }) => clean(value(row)))),
  ];
  const widths = columns.map((_, i) => lines.reduce((most, line) => Math.max(most, widthOf(line[i]!)), 0));
  return lines
    .map((line) => {
      const cells = line.map((text, i) => {
        const blanks = " ".repeat(widths[i]! - widthOf(text));
        return columns[i]!.align === "right" ? blanks + text : text + blanks;
      });
      return `${cells.join("  ").trimEnd()}\n`;
    })
    .join("");
}

function clean(value: string | number | undefined): string {
  return value === undefined || value === "" ? "-" : printable(String(value));
}

/** Text from outside must not move the terminal's cursor. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, "\ufffd");
}

/** Made when it is needed, as `grouped`'s numbers are. */
let graphemes: Intl.Segmenter | undefined;

/** Letters on a terminal, with the marks that stand on them. */
function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  graphemes ??= new Intl.Segmenter();
  return Array.from(graphemes.segment(text)).length;
}
