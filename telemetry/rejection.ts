/** Why a reading was not stored: a small fixed set, used as a metric label, in nacks and in dead letters. */
export const reasons = [
  "syntax", // not line protocol, not the JSON envelope, not SenML
  "invalid-utf8",
  "unknown-measurement",
  "unknown-field",
  "unknown-sensor", // not a final reason by itself: the reading waits for a birth
  "unexpected-tag", // tags come from the registry; a payload names the sensor and nothing else
  "wrong-type",
  "wrong-unit", // SenML: a unit that does not become the field's
  "not-finite",
  "out-of-range", // outside the field's physical range
  "no-time",
  "future",
  "too-old",
  "store-refused", // the store can never keep it: a field of another type than before, a time beyond its retention
  "sensor-owned", // another gateway owns the sensor
  "sensor-retired",
  "bad-header", // the batch's first comment line; its readings are still taken
  "bad-birth",
  "sensor-budget", // more sensors than a gateway may have
  "too-large",
  "wrong-topic",
] as const;
export type Reason = (typeof reasons)[number];

/** One refused reading. Offsets are bytes into the payload it came in, end exclusive. */
export interface Rejection {
  readonly reason: Reason;
  /** What was wrong and how to mend it, in one English sentence; for people, never parsed. */
  readonly detail: string;
  readonly start: number;
  readonly end: number;
  /** Ordinal of the reading among the payload's readings, from 0; comments and blank lines do not count. */
  readonly ordinal: number;
  /**
   * The refused reading as a payload of its own, from a decoder whose readings have no offsets. Line protocol and the JSON envelope
   * leave it out: `start` to `end` is theirs.
   */
  readonly bytes?: Uint8Array;
}
