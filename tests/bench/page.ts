import type { FaultReport } from "../support/fault-report.ts";
import type { MeasuredRow, SoakSummary } from "./measurements.ts";
import { type BenchFigure, isMet, median } from "./result.ts";

/** A median that moved by less says nothing on a shared machine. */
const noise = 0.1;

/** docs/benchmarks.md. @param former  What the last version measured. */
export function benchmarksPage(
  rows: readonly MeasuredRow[],
  former: readonly MeasuredRow[],
  soak: SoakSummary | undefined,
): string {
  return `# Benchmarks

Made by \`npm run bench\`; do not edit. Every figure is the median of interleaved rounds, with least and most behind it; CPU is user and system time in
seconds per million readings. The machines these run on are shared: trust the ratios, whose two sides come from one run, more than any absolute figure.

| path | figure | measured | aim | met |
|---|---|---|---|---|
${rows.flatMap(tableLines).join("\n")}

${rows.flatMap(notes).join("\n")}

## What got worse

${worse(rows, former)}

## Faults

${faults(soak)}

## Where it was measured

${places(rows)}
`;
}

function tableLines({ title, figures }: MeasuredRow): string[] {
  return figures.map((figure, i) => {
    const { name, unit, aim } = figure;
    const what = unit === "" ? name : `${name}, ${unit}`;
    const met = aim === undefined ? "" : isMet(figure) ? "yes" : "**no**";
    return `| ${i === 0 ? title : ""} | ${what} | ${spread(figure)} | ${aimText(figure)} | ${met} |`;
  });
}

function notes({ title, note }: MeasuredRow): string[] {
  return note === undefined ? [] : [`- **${title}**: ${note}`];
}

function aimText({ aim }: BenchFigure): string {
  if (aim === undefined) return "";
  return "atMost" in aim ? `<= ${shown(aim.atMost)}` : `>= ${shown(aim.atLeast)}`;
}

function spread({ values }: BenchFigure): string {
  const middle = `**${shown(median(values))}**`;
  if (values.length === 1) return middle;
  return `${middle} (${shown(Math.min(...values))}-${shown(Math.max(...values))})`;
}

/** Three digits that count. */
function shown(value: number): string {
  const size = Math.abs(value);
  const digits = Number.isInteger(value) || size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function worse(rows: readonly MeasuredRow[], former: readonly MeasuredRow[]): string {
  const before = new Map(former.map((row) => [row.id, row]));
  const lines = rows.flatMap(({ id, title, figures }) =>
    figures.flatMap((figure) => {
      const was = before.get(id)?.figures.find(({ name }) => name === figure.name);
      if (was === undefined) return [];
      const [now, then] = [median(figure.values), median(was.values)];
      const change = figure.better === "lower" ? now / then - 1 : then / now - 1;
      if (!(change > noise)) return [];
      return [`- ${title}, ${figure.name}: ${shown(then)} before, ${shown(now)} now.`];
    }),
  );
  const margin = `${noise * 100} %`;
  return lines.length === 0
    ? `Nothing by more than ${margin} of what the version before had measured.`
    : `By more than ${margin} of what the version before had measured:\n\n${lines.join("\n")}`;
}

function faults(soak: SoakSummary | undefined): string {
  if (soak === undefined) return "`npm run soak` has not been run on this version.";
  const lines = soak.faults.map(faultLine);
  return `\`npm run soak\` of ${soak.at.slice(0, 10)}: ${soak.passed} passed, ${soak.failed} failed, ${soak.skipped} skipped. Each fault under load; what gateways had
acknowledged is compared with the store row by row.

| fault | tried | readings sent | acknowledged | lost | twice | measured |
|---|---|---|---|---|---|---|
${lines.join("\n")}`;
}

function faultLine({ fault, tried, sent, acknowledged, lost, twice, measured = {} }: FaultReport): string {
  const more = Object.entries(measured).map(([name, value]) => `${name}: ${shown(value)}`);
  const counts = [tried, sent, acknowledged, lost, twice].map((count) => count.toLocaleString("en"));
  return `| ${fault} | ${counts.join(" | ")} | ${more.join("; ")} |`;
}

function places(rows: readonly MeasuredRow[]): string {
  const byPlace = Map.groupBy(rows, ({ measured: { machine, versions, at } }) =>
    [at.slice(0, 10), machine, versions].join("; "),
  );
  return Array.from(byPlace, ([place, there]) => {
    const loads = there.map(({ measured: { load } }) => load);
    const range = `${shown(Math.min(...loads))}-${shown(Math.max(...loads))}`;
    return `- ${there.map(({ title }) => title).join(", ")}: ${place}; load average before each ${range}.`;
  }).join("\n");
}
