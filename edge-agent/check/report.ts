/** One field as it was read. */
export interface CheckedValue {
  readonly sensor: string;
  readonly measurement: string;
  /** `time` and `row` are the registers of that name. */
  readonly field: string;
  /** Registers in hexadecimal, a coil's bit, or the topic; undefined of lines. */
  readonly raw: string | undefined;
  /** In `unit`; a time as RFC 3339; undefined: the device says that it has none. */
  readonly value: number | string | undefined;
  readonly unit: string | undefined;
  /** Is it where such a value may be? Undefined where nobody can tell. */
  readonly plausible: boolean | undefined;
  /** What to look at. */
  readonly hint?: string;
}

/** Something that the installer has to mend. */
export interface CheckProblem {
  /** The input, as in `inputs[0] tcp://192.168.7.20:502`. */
  readonly input: string;
  readonly sensor?: string;
  readonly problem: string;
  /** What to look at, the likeliest first. */
  readonly hints: readonly string[];
}

/** What was read of each input, once. */
export interface CheckReport {
  readonly gateway: string;
  readonly values: readonly CheckedValue[];
  readonly problems: readonly CheckProblem[];
  /** What is worth knowing and nothing to mend. */
  readonly notes: readonly string[];
}

/** What the check of one input found. */
export type CheckedInput = Omit<CheckReport, "gateway">;
