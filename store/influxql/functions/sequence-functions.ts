import type { ValueType } from "../engine.ts";
import { type NumberVector, numberVector, type Vector } from "../vectors.ts";
import type { Windows } from "../windows.ts";

/** Points of one series, in the order of the statement, none of them null. */
export interface Points {
  readonly time: Float64Array;
  readonly value: Vector;
}

export interface SequenceOptions {
  readonly isAscending: boolean;
  /** Of derivative, elapsed and integral, ms; a part of one where it is shorter. */
  readonly unit_ms: number;
  /** Of moving_average. */
  readonly count: number;
}

export interface SequenceFunction {
  readonly types: readonly ValueType[];
  readonly of: (points: Points, options: SequenceOptions) => Points;
}

const numbers: readonly ValueType[] = ["float", "integer"];

/** Functions from one point to the next, each as query/functions.go of InfluxDB has it. */
export const sequenceFunctions: ReadonlyMap<string, SequenceFunction> = new Map<string, SequenceFunction>([
  ["derivative", { types: numbers, of: (points, options) => derivative(points, options, false) }],
  ["non_negative_derivative", { types: numbers, of: (points, options) => derivative(points, options, true) }],
  ["difference", { types: numbers, of: (points) => difference(points, false) }],
  ["non_negative_difference", { types: numbers, of: (points) => difference(points, true) }],
  ["moving_average", { types: numbers, of: movingAverage }],
  ["cumulative_sum", { types: numbers, of: cumulativeSum }],
  ["elapsed", { types: ["float", "integer", "boolean", "string"], of: elapsed }],
]);

/** Room for a point to each that comes in. */
class Output {
  readonly #time: Float64Array;
  readonly #values: Float64Array;
  #length = 0;

  constructor(most: number) {
    this.#time = new Float64Array(most);
    this.#values = new Float64Array(most);
  }

  push(time: number, value: number): void {
    this.#time[this.#length] = time;
    this.#values[this.#length++] = value;
  }

  points(type: NumberVector["type"]): Points {
    return {
      time: this.#time.subarray(0, this.#length),
      value: numberVector(type, this.#values.subarray(0, this.#length)),
    };
  }
}

function numbersOf({ value }: Points): { type: "float" | "integer"; values: Float64Array } {
  if (value.type !== "float" && value.type !== "integer") throw new TypeError(`a column of ${value.type}s`);
  return { type: value.type, values: value.values };
}

/** Of points at the same time the first counts. */
function steps(
  points: Points,
  step: (time: number, elapsed_ms: number, change: number) => void,
): NumberVector["type"] {
  const { type, values: numbers } = numbersOf(points);
  let previous = 0;
  for (let i = 1; i < numbers.length; i++) {
    const time = points.time[i] ?? 0;
    const before = points.time[previous] ?? 0;
    if (time === before) continue;
    step(time, time - before, (numbers[i] ?? 0) - (numbers[previous] ?? 0));
    previous = i;
  }
  return type;
}

function derivative(
  points: Points,
  { isAscending, unit_ms }: SequenceOptions,
  isNonNegative: boolean,
): Points {
  const output = new Output(points.time.length);
  steps(points, (time, elapsed_ms, change) => {
    if (!isNonNegative || !(change < 0))
      output.push(time, change / ((isAscending ? elapsed_ms : -elapsed_ms) / unit_ms));
  });
  return output.points("float");
}

function difference(points: Points, isNonNegative: boolean): Points {
  const output = new Output(points.time.length);
  const type = steps(points, (time, _elapsed, change) => {
    if (!isNonNegative || !(change < 0)) output.push(time, change);
  });
  return output.points(type);
}

function movingAverage(points: Points, { count }: SequenceOptions): Points {
  const { values: numbers } = numbersOf(points);
  const output = new Output(numbers.length);
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) {
    if (i >= count) sum -= numbers[i - count] ?? 0;
    sum += numbers[i] ?? 0;
    if (i >= count - 1) output.push(points.time[i] ?? 0, sum / count);
  }
  return output.points("float");
}

function cumulativeSum(points: Points): Points {
  const { type, values: numbers } = numbersOf(points);
  const output = new Output(numbers.length);
  let sum = 0;
  for (const [i, value] of numbers.entries()) {
    sum += value;
    output.push(points.time[i] ?? 0, sum);
  }
  return output.points(type);
}

function elapsed({ time }: Points, { unit_ms }: SequenceOptions): Points {
  const output = new Output(time.length);
  for (let i = 1; i < time.length; i++) {
    const at = time[i] ?? 0;
    output.push(at, Math.trunc((at - (time[i - 1] ?? 0)) / unit_ms));
  }
  return output.points("integer");
}

export interface IntegralOptions extends SequenceOptions {
  /** Undefined: all of the range is one. */
  readonly windows: Windows | undefined;
  /** Where the range begins, as shown; undefined where it does not. */
  readonly start: number | undefined;
}

/** The area below the line through the points, in units of `unit_ms`; where a window ends between two points the line is cut there. */
export function integral(points: Points, { isAscending, unit_ms, windows, start }: IntegralOptions): Points {
  const { type, values: numbers } = numbersOf(points);
  const output = new Output(numbers.length);
  if (numbers.length === 0) return output.points("float");
  // Without windows InfluxDB gives an area of floats time 0, one of integers the range's beginning.
  const wholeStart = type === "float" ? 0 : (start ?? 0);
  const bounds = (time: number): [start: number, end: number] => {
    if (windows === undefined) return [wholeStart, isAscending ? Infinity : -Infinity];
    const from = windows.startOf(time);
    const to = windows.endOf(time);
    return isAscending ? [from, to] : [to, from];
  };
  let previousTime = points.time[0] ?? 0;
  let previous = numbers[0] ?? 0;
  let [windowStart, windowEnd] = bounds(previousTime);
  let sum = 0;
  for (let i = 1; i < numbers.length; i++) {
    const time = points.time[i] ?? 0;
    let value = numbers[i] ?? 0;
    if (time === previousTime) {
      previous = value;
      continue;
    }
    if (isAscending ? time >= windowEnd : time <= windowEnd) {
      if (previousTime !== windowEnd) {
        const cut = previous + ((value - previous) * (windowEnd - previousTime)) / (time - previousTime);
        sum += (0.5 * (cut + previous) * (windowEnd - previousTime)) / unit_ms;
        // Of integers InfluxDB goes on from the point before, and with the value at the cut.
        if (type === "integer") value = cut;
        else previous = cut;
        previousTime = windowEnd;
      }
      output.push(windowStart, sum);
      [windowStart, windowEnd] = bounds(time);
      sum = 0;
    }
    sum += (0.5 * (value + previous) * (time - previousTime)) / unit_ms;
    previousTime = time;
    previous = numbers[i] ?? 0;
  }
  if (previousTime !== windowStart) output.push(windowStart, sum);
  return output.points("float");
}
