export interface MathFunction {
  readonly arguments: 1 | 2;
  /** Of integers it makes integers; the others make floats of everything. */
  readonly keepsType?: true;
  readonly of: (x: number, y: number) => number;
}

/** Functions of single values, all that InfluxDB 1.6 has. */
export const mathFunctions: ReadonlyMap<string, MathFunction> = new Map<string, MathFunction>([
  ["abs", { arguments: 1, keepsType: true, of: Math.abs }],
  ["floor", { arguments: 1, keepsType: true, of: Math.floor }],
  ["ceil", { arguments: 1, keepsType: true, of: Math.ceil }],
  ["round", { arguments: 1, keepsType: true, of: roundHalfAway }],
  ["sin", { arguments: 1, of: Math.sin }],
  ["cos", { arguments: 1, of: Math.cos }],
  ["tan", { arguments: 1, of: Math.tan }],
  ["asin", { arguments: 1, of: Math.asin }],
  ["acos", { arguments: 1, of: Math.acos }],
  ["atan", { arguments: 1, of: Math.atan }],
  ["exp", { arguments: 1, of: Math.exp }],
  ["ln", { arguments: 1, of: Math.log }],
  ["log2", { arguments: 1, of: Math.log2 }],
  ["log10", { arguments: 1, of: Math.log10 }],
  ["sqrt", { arguments: 1, of: Math.sqrt }],
  ["atan2", { arguments: 2, of: Math.atan2 }],
  ["pow", { arguments: 2, of: Math.pow }],
  ["log", { arguments: 2, of: (x, base) => Math.log(x) / Math.log(base) }],
]);

/** Halves away from zero. */
function roundHalfAway(x: number): number {
  const whole = Math.trunc(x);
  return Math.abs(x - whole) >= 0.5 ? whole + Math.sign(x) : whole;
}
