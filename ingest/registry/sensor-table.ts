import type { RecordReader, RecordTransaction } from "#runtime/record-store.ts";
import { sensorKey } from "./sensor-record.ts";
import type { SensorRecord } from "./sensor-record.ts";

/** How the registry lies in the record store; other processes learn from `changes` which sensors to read again. */

/** A gateway's last birth. */
export interface GatewayBirth {
  readonly gateway: string;
  readonly agency: string;
  /** Version of the agent's software. */
  readonly agent: string;
  /** When it came, milliseconds since 1970; on disk: when one last brought something new. */
  readonly at: number;
}

const sensors = "sensors";
const gateways = "gateways";
const changes = "changes";
const recent = "recent";

const pageSize = 1000;

/** Changed keys remembered, newest last; who missed more reads all sensors. */
const keptChanges = 1000;

/** Every write of a sensor is numbered; the last `keys` are those before number `next`. */
interface RecentChanges {
  readonly next: number;
  readonly keys: readonly string[];
}

/** Writes records and notes that they changed. */
export function writeSensors(records: RecordTransaction, changed: readonly SensorRecord[]): void {
  if (changed.length === 0) return;
  const { next, keys } = recentChanges(records);
  const changedKeys = changed.map(({ agency, sensor }) => sensorKey(agency, sensor));
  for (const [i, record] of changed.entries()) records.put(sensors, changedKeys[i]!, record);
  records.put(changes, recent, {
    next: next + changed.length,
    keys: [...keys, ...changedKeys].slice(-keptChanges),
  } satisfies RecentChanges);
}

/**
 * Records written since change `since` (each once), and the number that the next write will get. From -1: all records, which are read
 * while they are iterated.
 */
export function changesSince(
  records: RecordReader,
  since: number,
): { readonly next: number; readonly changed: Iterable<SensorRecord> } {
  const { next, keys } = recentChanges(records);
  const missed = next - since;
  if (missed === 0) return { next, changed: [] };
  if (missed < 0 || missed > keys.length) return { next, changed: allSensors(records) };
  const changed = [...new Set(keys.slice(-missed))].map((key) => readSensor(records, key)!);
  return { next, changed };
}

/** In order of key, a page at a time: there can be a million. */
export function* allSensors(records: RecordReader): Generator<SensorRecord> {
  for (let after: string | undefined; ;) {
    const page = records.entries(sensors, { limit: pageSize, ...(after !== undefined && { after }) });
    for (const [, record] of page) yield record as SensorRecord;
    after = page.at(-1)?.[0];
    if (after === undefined) return;
  }
}

/** @param key  Of `sensorKey`. */
export function readSensor(records: RecordReader, key: string): SensorRecord | undefined {
  return records.get(sensors, key) as SensorRecord | undefined;
}

export function readGatewayBirths(records: RecordReader): GatewayBirth[] {
  return records.entries(gateways).map(([, birth]) => birth as GatewayBirth);
}

export function writeGatewayBirth(records: RecordTransaction, birth: GatewayBirth): void {
  records.put(gateways, birth.gateway, birth);
}

function recentChanges(records: RecordReader): RecentChanges {
  return (records.get(changes, recent) as RecentChanges | undefined) ?? { next: 0, keys: [] };
}
