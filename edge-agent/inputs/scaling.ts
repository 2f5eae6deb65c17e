import { type Conversion, convert } from "#telemetry/units.ts";

/** What becomes of a number that a device shows: raw x scale + offset, then into the catalogue's unit. */
export interface Scaling {
  readonly scale: number;
  readonly offset: number;
  readonly conversion: Conversion;
}

/** A whole number times a power of ten: `whole / divisor`. */
interface Decimal {
  readonly whole: number;
  readonly digits: number;
}

/** Powers of ten up to this one are doubles exactly. */
const maxDigits = 22;

/**
 * The function of a scaling. Whole raw values are scaled in decimals, so that 3 x 0.1 is 0.3 and 83190 x 0.001 is 83.19: the double nearest to
 * what the device's display says.
 */
export function scaler({ scale, offset, conversion }: Scaling): (raw: number) => number {
  const linear = linearOf(scale, offset);
  return (raw) => convert(linear(raw), conversion);
}

function linearOf(scale: number, offset: number): (raw: number) => number {
  if (offset === 0 && scale === 1) return (raw) => raw;
  const plain = (raw: number): number => raw * scale + offset;
  const factor = decimalOf(scale);
  const addend = decimalOf(offset);
  if (factor === undefined || addend === undefined) return plain;
  const digits = Math.max(factor.digits, addend.digits);
  const multiply = factor.whole * 10 ** (digits - factor.digits);
  const add = addend.whole * 10 ** (digits - addend.digits);
  const divide = 10 ** digits;
  return (raw) => {
    const product = raw * multiply;
    const whole = product + add;
    // All of it exact up to here, so the division is the one rounding.
    const exact = Number.isSafeInteger(raw) && Number.isSafeInteger(product) && Number.isSafeInteger(whole);
    return exact ? whole / divide : plain(raw);
  };
}

/** 0.001 -> 1 and 3 digits; undefined for what has more digits than a double keeps. */
function decimalOf(value: number): Decimal | undefined {
  const [, sign = "", before = "", after = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  const shift = after.length - Number(exponent);
  const whole = Number(`${sign}${before}${after}`) * (shift < 0 ? 10 ** -shift : 1);
  const digits = Math.max(shift, 0);
  return before !== "" && Number.isSafeInteger(whole) && digits <= maxDigits ? { whole, digits } : undefined;
}
