import { z } from "zod";

/** Agency and gateway names stand in topics: lower case, digits, hyphens. */
export const AgencyName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower-case letters, digits and hyphens, at most 63");
export const GatewayName = AgencyName;

/** Characters of a sensor's id. */
export const maxSensorIdLength = 64;
const sensorIdPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
/** Sensor ids are unique within an agency and stand unescaped in line protocol. */
export const SensorId = z.string().regex(sensorIdPattern, "letters, digits and . _ : -, at most 64");
/** The same for what comes once a reading. */
export function isSensorId(text: string): boolean {
  return sensorIdPattern.test(text);
}

/** Who is at the other end of a connection. */
export interface GatewayIdentity {
  readonly name: string;
  readonly agency: string;
}
