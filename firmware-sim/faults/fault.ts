/** What can go wrong. Of the city itself: leak to power-cut; of an instrument: stuck to clock-skew; of a gateway: the last two. */
export const faultKinds = [
  "leak", // a main bursts in a district meter area
  "congestion", // a corridor loses capacity
  "cold-chain-break", // a cold store's compressor fails
  "power-cut", // a substation goes dark
  "stuck", // a field says the same again and again
  "spike", // a field jumps and comes back
  "drift", // a field slides away
  "drop-out", // a sensor is silent
  "clock-skew", // a sensor's clock is wrong
  "gateway-reboot", // all sensors of a gateway are silent
  "gateway-swap", // all sensors of a gateway speak through another one
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Without being asked for: a swap needs an operator, or its readings are refused. */
export const usualFaultKinds: readonly FaultKind[] = faultKinds.filter((kind) => kind !== "gateway-swap");

/** Who of one measurement is touched, and in which fields. */
export interface FaultEffect {
  readonly measurement: string;
  readonly sensors: readonly string[];
  readonly fields: readonly string[];
}

export interface Fault {
  /** Unique in a city: `2026-07-05/2`. */
  readonly cause: string;
  readonly kind: FaultKind;
  /** ms since 1970, whole minutes. It holds from `from` and no longer at `to`. */
  readonly from: number;
  readonly to: number;
  /** What it strikes: an area, corridor, substation, sensor or gateway by name. */
  readonly target: string;
  /** How much, in `unit`; `labels.ts` says what of. */
  readonly magnitude: number;
  readonly unit: string;
  readonly effects: readonly FaultEffect[];
  /** In a swap: the gateway that they speak through. */
  readonly through?: string;
}

/** The share of a fault that is there yet, and still: it comes and goes within `ramp_ms`. */
export function presence({ from, to }: Fault, time: number, ramp_ms: number): number {
  return Math.max(0, Math.min(1, (time - from) / ramp_ms, (to - time) / ramp_ms));
}
