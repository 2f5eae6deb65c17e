/** What stands in registers of 16 bits, most significant first unless an order says otherwise. */
export type RegisterType = "u16" | "i16" | "u32" | "i32" | "u64" | "i64" | "f32" | "f64";

/** As meters' manuals write it: big-endian, words swapped, bytes swapped, both. Of 8 bytes: the same for the sequence of words. */
export type ByteOrder = "ABCD" | "CDAB" | "BADC" | "DCBA";

/** A value in holding registers; `register` is the protocol's own address, which counts from 0. */
export interface Register {
  readonly register: number;
  readonly type: RegisterType;
  readonly order?: ByteOrder;
}

export interface FieldRegister extends Register {
  /** value = what stands in the register x scale */
  readonly scale?: number;
  /** A UCUM code. */
  readonly unit: string;
}

/** How one model of device lays its values out: an entry of the agents' `register_maps`, by name. */
export interface RegisterMap {
  readonly measurement: string;
  /** The device's own event time, ms since 1970. */
  readonly time: Register;
  /** Number of the row shown. */
  readonly row: Register;
  readonly fields: Readonly<Record<string, FieldRegister>>;
}

/** A map and what agents' configurations call it. */
export interface NamedRegisterMap {
  readonly name: string;
  readonly map: RegisterMap;
}

/** One request reads at most so many registers; a row that one request reads is read whole. */
export const maxRegistersPerRead = 125;

const widths: Record<RegisterType, number> = {
  u16: 1,
  i16: 1,
  u32: 2,
  i32: 2,
  u64: 4,
  i64: 4,
  f32: 2,
  f64: 4,
};

/** Registers that a value takes. */
export function widthOf(type: RegisterType): number {
  return widths[type];
}

/** Registers from 0 to the last one of the map. */
export function lengthOf({ time, row, fields }: RegisterMap): number {
  return Math.max(...[time, row, ...Object.values(fields)].map((each) => each.register + widthOf(each.type)));
}
