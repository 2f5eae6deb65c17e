import { makeZone, type Zone } from "#telemetry/zone.ts";

const zones = new Map<string, Zone | undefined>();
const mostRemembered = 64;

/** The IANA zone of this name; an empty one is UTC. Undefined: there is none. */
export function zoneOf(name: string): Zone | undefined {
  if (zones.has(name)) return zones.get(name);
  let zone: Zone | undefined;
  try {
    // Intl takes offsets too, which are no zones.
    if (!/^[+-]/.test(name)) zone = makeZone(name === "" ? "UTC" : name);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  if (zones.size >= mostRemembered) zones.clear();
  zones.set(name, zone);
  return zone;
}

export function isZone(name: string): boolean {
  return zoneOf(name) !== undefined;
}
