import { attributesAt, isRetired } from "#ingest/registry/sensor-record.ts";
import type { SensorRecord } from "#ingest/registry/sensor-record.ts";
import { findPlace } from "#telemetry/places.ts";
import { printJson, shortTime } from "./output.ts";
import { formatTable } from "./table.ts";
import type { Column } from "./table.ts";

/** Prints sensors: a table, or `{"sensors": […]}`. */
export function printSensors(records: readonly SensorRecord[], json: boolean): void {
  const sorted = records.toSorted(
    (a, b) => a.agency.localeCompare(b.agency) || naturally.compare(a.sensor, b.sensor),
  );
  if (json) printJson({ sensors: sorted.map((record) => viewOf(record)) });
  else if (sorted.length > 0) process.stdout.write(formatTable(columns, sorted));
  else console.log("No sensors. Gateways announce theirs; `marsad sensor add` registers one by hand.");
}

/** Says of each sensor what was done, or prints `{"changed": …, "sensors": […]}`. */
export function printChange(
  records: readonly SensorRecord[],
  changed: ReadonlySet<SensorRecord>,
  done: string,
  json: boolean,
): void {
  if (json) {
    printJson({ changed: changed.size, sensors: records.map((record) => viewOf(record)) });
    return;
  }
  for (const record of records) {
    const name = `${record.sensor} (${record.agency}, gateway ${record.gateway})`;
    console.log(changed.has(record) ? `${name}: ${done}.` : `${name}: nothing to change.`);
  }
}

const naturally = new Intl.Collator("en", { numeric: true });

const columns: readonly Column<SensorRecord>[] = [
  { title: "AGENCY", value: ({ agency }) => agency },
  { title: "SENSOR", value: ({ sensor }) => sensor },
  { title: "GATEWAY", value: ({ gateway }) => gateway },
  { title: "PLACE", value: (record) => placeName(attributesNow(record).place) },
  { title: "ROLE", value: (record) => attributesNow(record).role },
  { title: "STATE", value: stateOf },
  { title: "SINCE", value: ({ registered_at: at }) => shortTime(at) },
];

/** A sensor as JSON: its present attributes, and all that was said of it. */
function viewOf(record: SensorRecord): object {
  return { ...record, attributes: attributesNow(record) };
}

function attributesNow(record: SensorRecord): ReturnType<typeof attributesAt> {
  return attributesAt(record, Date.now());
}

function placeName(code: string): string {
  const place = findPlace(code);
  return place ? `${place.name.en} (${place.code})` : code;
}

function stateOf(record: SensorRecord): string {
  if (isRetired(record)) return "retired";
  return record.verified ? "verified" : "new";
}
