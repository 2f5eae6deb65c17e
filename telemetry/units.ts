/** From one unit to another: `value * multiply / divide + add`. Two whole numbers where they are, so that 36 km/h is 10 m/s and not nearly. */
export interface Conversion {
  readonly multiply: number;
  readonly divide: number;
  readonly add: number;
}

const same: Conversion = { multiply: 1, divide: 1, add: 0 };

/**
 * How values in the UCUM unit `from` become values in `to`; undefined when they are not of one kind, or not known here. A unit in braces
 * (`{vehicle}`) is of a kind of its own.
 */
export function conversion(from: string, to: string): Conversion | undefined {
  if (from === to) return same;
  const source = parseUnit(from);
  const target = parseUnit(to);
  if (!source || !target || source.kind !== target.kind) return undefined;
  const multiply = source.times * target.over;
  const divide = source.over * target.times;
  const common = greatestCommonDivisor(multiply, divide);
  // Zero points are on the target's scale already: Kelvin and degrees Fahrenheit below Celsius.
  const add = ((source.zero - target.zero) * target.over) / target.times;
  if (multiply === divide && add === 0) return same;
  return { multiply: multiply / common, divide: divide / common, add };
}

/** Exact where nothing is to be done. */
export function convert(value: number, { multiply, divide, add }: Conversion): number {
  if (multiply === divide) return add === 0 ? value : value + add;
  const scaled = (value * multiply) / divide;
  return add === 0 ? scaled : scaled + add;
}

/** A unit over the base units: `times / over` of them, and where its zero lies, in base units. */
interface Unit {
  /** The base units with their exponents, in a fixed order: equal for units of one kind. */
  readonly kind: string;
  readonly times: number;
  readonly over: number;
  readonly zero: number;
}

interface Atom {
  readonly base: Readonly<Record<string, number>>;
  readonly times?: number;
  readonly over?: number;
  readonly zero?: number;
  /** Takes no prefix. */
  readonly plain?: true;
}

const pascal = { g: 1, m: -1, s: -2 };
const watt = { g: 1, m: 2, s: -3 };
/** UCUM atoms over metre, gram, second, ampere, kelvin and what has no dimension in SI but must not be mixed. */
const atoms: Readonly<Record<string, Atom>> = {
  m: { base: { m: 1 } },
  g: { base: { g: 1 } },
  t: { base: { g: 1 }, times: 1e6 },
  s: { base: { s: 1 } },
  min: { base: { s: 1 }, times: 60, plain: true },
  h: { base: { s: 1 }, times: 3600, plain: true },
  d: { base: { s: 1 }, times: 86_400, plain: true },
  Hz: { base: { s: -1 } },
  A: { base: { A: 1 } },
  C: { base: { A: 1, s: 1 } },
  K: { base: { K: 1 } },
  Cel: { base: { K: 1 }, zero: 273.15, plain: true },
  "[degF]": { base: { K: 1 }, times: 5, over: 9, zero: (459.67 * 5) / 9, plain: true },
  mol: { base: { mol: 1 } },
  cd: { base: { cd: 1 } },
  lx: { base: { lx: 1 } },
  L: { base: { m: 3 }, over: 1000 },
  l: { base: { m: 3 }, over: 1000 },
  "[gal_us]": { base: { m: 3 }, times: 3_785_411_784, over: 1e12, plain: true },
  N: { base: { g: 1, m: 1, s: -2 }, times: 1000 },
  Pa: { base: pascal, times: 1000 },
  bar: { base: pascal, times: 1e8 },
  "[psi]": { base: pascal, times: 6_894_757.293_168, plain: true },
  J: { base: { g: 1, m: 2, s: -2 }, times: 1000 },
  W: { base: watt, times: 1000 },
  V: { base: { ...watt, A: -1 }, times: 1000 },
  Ohm: { base: { ...watt, A: -2 }, times: 1000 },
  S: { base: { g: -1, m: -2, s: 3, A: 2 }, over: 1000 },
  "1": { base: {}, plain: true },
  "%": { base: {}, over: 100, plain: true },
  "[ppm]": { base: {}, over: 1e6, plain: true },
  "[ppb]": { base: {}, over: 1e9, plain: true },
  "[pH]": { base: { pH: 1 }, plain: true },
  rad: { base: { rad: 1 } },
  deg: { base: { rad: 1 }, times: Math.PI, over: 180, plain: true },
  bit: { base: { bit: 1 } },
  By: { base: { bit: 1 }, times: 8 },
};

const prefixes: Readonly<Record<string, { readonly times?: number; readonly over?: number }>> = {
  T: { times: 1e12 },
  G: { times: 1e9 },
  M: { times: 1e6 },
  k: { times: 1e3 },
  h: { times: 1e2 },
  d: { over: 10 },
  c: { over: 1e2 },
  m: { over: 1e3 },
  u: { over: 1e6 },
  n: { over: 1e9 },
  p: { over: 1e12 },
};

/** Annotations, bracketed atoms, and names with their exponent. */
const component = /^(\{[^{}]+\}|\[[^[\]]+\]|%|1(?!\d)|[A-Za-z]+)(-?\d)?$/;

function parseUnit(text: string): Unit | undefined {
  const parts = text.startsWith("/") ? ["1", ...text.split(/(?=[./])/)] : text.split(/(?=[./])/);
  const kind: Record<string, number> = {};
  let times = 1;
  let over = 1;
  let zero = 0;
  for (const part of parts) {
    const match = component.exec(part.replace(/^[./]/, ""));
    const atom = match && parseAtom(match[1]!);
    if (!atom) return undefined;
    const exponent = Number(match[2] ?? 1) * (part.startsWith("/") ? -1 : 1);
    if (atom.zero !== undefined && (parts.length > 1 || exponent !== 1)) return undefined;
    zero = atom.zero ?? 0;
    for (const [base, power] of Object.entries(atom.base)) kind[base] = (kind[base] ?? 0) + power * exponent;
    const up = (atom.times ?? 1) ** Math.abs(exponent);
    const down = (atom.over ?? 1) ** Math.abs(exponent);
    times *= exponent > 0 ? up : down;
    over *= exponent > 0 ? down : up;
  }
  const name = Object.entries(kind)
    .filter(([, power]) => power !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([base, power]) => `${base}${power}`)
    .join(" ");
  return { kind: name, times, over, zero };
}

function parseAtom(name: string): Atom | undefined {
  if (name.startsWith("{")) return { base: { [name]: 1 } };
  if (Object.hasOwn(atoms, name)) return atoms[name];
  const prefix = Object.hasOwn(prefixes, name[0]!) ? prefixes[name[0]!] : undefined;
  const atom = Object.hasOwn(atoms, name.slice(1)) ? atoms[name.slice(1)] : undefined;
  if (!prefix || !atom || atom.plain) return undefined;
  const { times = 1, over = 1 } = atom;
  return { base: atom.base, times: times * (prefix.times ?? 1), over: over * (prefix.over ?? 1) };
}

/** 1 for numbers that are not whole. */
function greatestCommonDivisor(a: number, b: number): number {
  if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b)) return 1;
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
