import { z } from "zod";
import { describeIssues, parseJson } from "./json.ts";
import { SensorId } from "./names.ts";
import type { Reason } from "./rejection.ts";
import { SensorAttributes } from "./sensor.ts";

/** One sensor of a birth: its id and attributes, which hold from `valid_from` on (from the birth's arrival, if not given). */
export const BirthSensor = SensorAttributes.extend({
  id: SensorId,
  valid_from: z.int().min(0).max(8.64e15).optional().meta({ unit: "ms since 1970" }),
});
export type BirthSensor = z.infer<typeof BirthSensor>;

/** `marsad/{agency}/{gateway}/birth`: who is behind the gateway. */
export const Birth = z.strictObject({
  marsad: z.literal(1).meta({ description: "Version of this message." }),
  agent: z.string().min(1).max(64).meta({ description: "Version of the agent's software." }),
  sensors: z.array(BirthSensor),
});
export type Birth = z.infer<typeof Birth>;

/** A sensor that was not taken from a birth; its neighbours were. `sensor` is its id or, without one, its place in the list: `#3`. */
export interface RefusedBirthSensor {
  readonly sensor: string;
  readonly reason: Extract<Reason, "bad-birth" | "sensor-budget">;
  readonly detail: string;
}

export type ParsedBirth =
  | { readonly ok: true; readonly birth: Birth; readonly refused: readonly RefusedBirthSensor[] }
  | { readonly ok: false; readonly reason: Extract<Reason, "bad-birth">; readonly detail: string };

/** A birth whose sensors are looked at one by one. */
const Envelope = Birth.extend({ sensors: z.array(z.unknown()) });

/**
 * Reads a birth. A bad sensor refuses only itself; so does each one beyond `maxSensors` distinct ids, and each that repeats the id and
 * `valid_from` of another.
 */
export function parseBirth(bytes: Uint8Array, limits: { readonly maxSensors: number }): ParsedBirth {
  const json = parseJson(bytes);
  if (!json.ok) return { ok: false, reason: "bad-birth", detail: json.detail };
  const envelope = Envelope.safeParse(json.value);
  if (!envelope.success) return { ok: false, reason: "bad-birth", detail: describeIssues(envelope.error) };

  const sensors: BirthSensor[] = [];
  const refused: RefusedBirthSensor[] = [];
  const ids = new Set<string>();
  const versions = new Set<string>();
  for (const [index, entry] of envelope.data.sensors.entries()) {
    const parsed = BirthSensor.safeParse(entry);
    if (!parsed.success) {
      refused.push({
        sensor: nameOf(entry, index),
        reason: "bad-birth",
        detail: describeIssues(parsed.error),
      });
      continue;
    }
    const { id, valid_from: validFrom } = parsed.data;
    const sensorVersion = `${id} ${validFrom ?? ""}`;
    if (versions.has(sensorVersion)) {
      refused.push({
        sensor: id,
        reason: "bad-birth",
        detail: "the sensor is given twice for the same valid_from",
      });
    } else if (!ids.has(id) && ids.size >= limits.maxSensors) {
      const detail = `a gateway may have ${limits.maxSensors} sensors; this one is beyond`;
      refused.push({ sensor: id, reason: "sensor-budget", detail });
    } else {
      ids.add(id);
      versions.add(sensorVersion);
      sensors.push(parsed.data);
    }
  }
  return { ok: true, birth: { ...envelope.data, sensors }, refused };
}

/** The bytes of a birth message. */
export function formatBirth(birth: Omit<Birth, "marsad">): string {
  return JSON.stringify({ marsad: 1, ...birth });
}

function nameOf(entry: unknown, index: number): string {
  const id = SensorId.safeParse(
    typeof entry === "object" && entry !== null && "id" in entry ? entry.id : undefined,
  );
  return id.success ? id.data : `#${index}`;
}
