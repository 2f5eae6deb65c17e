/** What each folder may import of the others, apart from npm packages. Nothing else knows these rules. */
export const importTable: Readonly<Record<string, readonly string[]>> = {
  telemetry: [],
  runtime: [],
  "firmware-sim": ["telemetry", "runtime"],
  "edge-agent": ["telemetry", "runtime"],
  broker: ["telemetry", "runtime"],
  store: ["telemetry", "runtime"],
  ingest: ["store", "telemetry", "runtime"],
  analytics: ["store", "telemetry", "runtime"],
  api: ["analytics", "store", "telemetry", "runtime"],
  dashboards: ["telemetry"],
  cli: [
    "api",
    "analytics",
    "dashboards",
    "ingest",
    "store",
    "broker",
    "edge-agent",
    "firmware-sim",
    "telemetry",
    "runtime",
  ],
};

/** The table as README.md shows it. */
export function drawing(): string {
  const width = Math.max(...Object.keys(importTable).map(({ length }) => length));
  return Object.entries(importTable)
    .map(
      ([folder, allowed]) =>
        `${folder.padEnd(width)}  ${allowed.length > 0 ? `may import ${allowed.join(", ")}` : "imports no other folder"}`,
    )
    .join("\n");
}
