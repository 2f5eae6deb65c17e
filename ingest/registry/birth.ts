import { isDeepStrictEqual } from "node:util";
import type { Birth, BirthSensor } from "#telemetry/birth.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import type { Reason } from "#telemetry/rejection.ts";
import type { SensorAttributes } from "#telemetry/sensor.ts";
import { isRetired, newSensor } from "./sensor-record.ts";
import type { SensorRecord } from "./sensor-record.ts";
import { setFrom } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";

/** The sensors known so far. */
export interface KnownSensors {
  get(agency: string, sensor: string): SensorRecord | undefined;
  /** How many sensors count against a gateway's budget: its own, without the retired ones. */
  activeSensors(gateway: string): number;
}

export interface BirthLimits {
  readonly sensorsPerGateway: number;
}

/** Why one sensor of a birth was not taken; the others were. */
export interface RefusedSensor {
  readonly sensor: string;
  readonly reason: Reason;
  /** For people. */
  readonly detail: string;
}

export interface AppliedBirth {
  /** Records that are new or differ from what is known. */
  readonly records: readonly SensorRecord[];
  readonly refused: readonly RefusedSensor[];
}

/**
 * What a birth makes of the sensors known so far. It registers and describes sensors, and never removes one. What it says of a
 * sensor holds from the entry's `valid_from`, or from `now` (milliseconds since 1970), until its next entry for that sensor;
 * said again, it changes nothing.
 */
export function applyBirth(
  known: KnownSensors,
  gateway: GatewayIdentity,
  birth: Birth,
  now: number,
  limits: BirthLimits,
): AppliedBirth {
  const records: SensorRecord[] = [];
  const refused: RefusedSensor[] = [];
  let room = limits.sensorsPerGateway - known.activeSensors(gateway.name);
  for (const [sensor, entries] of Map.groupBy(birth.sensors, ({ id }) => id)) {
    const record = known.get(gateway.agency, sensor);
    if (!record && room <= 0) {
      refused.push({ sensor, reason: "sensor-budget", detail: overBudget(gateway, limits) });
    } else if (!record) {
      room -= 1;
      records.push({ ...newSensor(gateway, sensor, now), births: describe([], entries, now) });
    } else if (record.gateway !== gateway.name) {
      refused.push({ sensor, reason: "sensor-owned", detail: ownedByAnother(record) });
    } else if (isRetired(record)) {
      refused.push({ sensor, reason: "sensor-retired", detail: retired(record) });
    } else {
      const births = describe(record.births, entries, now);
      if (!isDeepStrictEqual(births, record.births)) records.push({ ...record, births });
    }
  }
  return { records, refused };
}

/** The timeline after a birth's entries for one sensor. */
function describe(
  births: Timeline<SensorAttributes>,
  entries: readonly BirthSensor[],
  now: number,
): Timeline<SensorAttributes> {
  const lastDated = Math.max(-1, ...entries.map(({ valid_from: from = -1 }) => (from <= now ? from : -1)));
  return entries
    .map(({ id: _id, valid_from: from, ...value }) => ({
      valid_from: from ?? presentSince(births, value, lastDated, now),
      value,
    }))
    .sort((a, b) => a.valid_from - b.valid_from)
    .reduce((timeline, { valid_from: from, value }) => setFrom(timeline, from, value), births);
}

/** Since when an entry without a date holds: since it was first said, if that is after the birth's dated past. */
function presentSince(
  births: Timeline<SensorAttributes>,
  value: SensorAttributes,
  lastDated: number,
  now: number,
): number {
  const present = births.findLast(({ valid_from: from }) => from <= now);
  const same =
    present !== undefined && present.valid_from > lastDated && isDeepStrictEqual(present.value, value);
  return same ? present.valid_from : Math.max(now, lastDated + 1);
}

function overBudget(gateway: GatewayIdentity, limits: BirthLimits): string {
  return (
    `gateway ${gateway.name} has its ${limits.sensorsPerGateway} sensors; ` +
    "retire some, or raise `sensorsPerGateway` in the configuration"
  );
}

function ownedByAnother({ sensor, gateway }: SensorRecord): string {
  return `sensor ${sensor} belongs to gateway ${gateway}; \`marsad sensor move ${sensor} --gateway …\` changes that`;
}

function retired({ sensor, gateway }: SensorRecord): string {
  return `sensor ${sensor} is retired; \`marsad sensor add ${sensor} --gateway ${gateway} …\` brings it back`;
}
