import { z } from "zod";

/** Registers, of 16 bits each, that a value takes. */
export const registersOf = {
  u16: 1,
  i16: 1,
  u32: 2,
  i32: 2,
  u64: 4,
  i64: 4,
  f32: 2,
  f64: 4,
  bool: 1,
} as const;
export type RegisterType = keyof typeof registersOf;
const registerTypes = Object.keys(registersOf) as [RegisterType, ...RegisterType[]];

/** As manuals write it, for the bytes A (highest) to D of a 32-bit value; for 64 bits the same of its four registers. */
export const byteOrders = ["ABCD", "CDAB", "BADC", "DCBA"] as const;
export type ByteOrder = (typeof byteOrders)[number];

/** Numbers stand in holding and input registers; coils and discrete inputs are bits. */
export const tables = ["holding", "input", "coil", "discrete"] as const;
export type Table = (typeof tables)[number];

const highestRegister = 65_535;

const register = z.int().min(0).max(highestRegister).meta({
  description: "Protocol address, from 0: what a manual calls 40011 is holding register 10.",
});
const order = z.enum(byteOrders).default("ABCD").meta({
  description: "Order of its bytes: ABCD is big-endian, CDAB has its words swapped.",
});
const wordTable = z.enum(["holding", "input"]).default("holding");

export const FieldRegister = z
  .strictObject({
    register,
    type: z.enum(registerTypes).meta({ description: "What stands there." }),
    order,
    table: z.enum(tables).default("holding"),
    bit: z.int().min(0).max(15).optional().meta({
      description: "For a bool in a register: which bit, 0 is the lowest; without it any bit counts.",
    }),
    scale: z
      .number()
      .refine((scale) => scale !== 0, "0 would make every value 0")
      .default(1)
      .meta({ description: "value = raw x scale + offset; -1 turns a meter that is built in backwards." }),
    offset: z.number().default(0),
    unit: z.string().min(1).optional().meta({
      description: "Of raw x scale + offset, as in L/s or m3/h; converted to the catalogue's unit.",
    }),
    absent: z.number().optional().meta({
      description: "The raw value by which the device says that it has none, as in 65535 or -32768.",
    }),
  })
  .superRefine((field, context) => {
    const refuse = (key: string, message: string): void =>
      context.addIssue({ code: "custom", path: [key], message });
    const isBit = field.table === "coil" || field.table === "discrete";
    if (isBit && field.type !== "bool") refuse("type", `a ${field.table} is one bit: write type: bool`);
    if (field.bit !== undefined && field.type !== "bool")
      refuse("bit", "only a bool is one bit of a register");
    if (field.bit !== undefined && isBit)
      refuse("bit", `a ${field.table} is one bit already: leave this out`);
    if (field.register + registersOf[field.type] - 1 > highestRegister)
      refuse("register", `a ${field.type} does not fit before the last register, ${highestRegister}`);
  });
export type FieldRegister = z.infer<typeof FieldRegister>;

/** Where the device shows the event time of its row. */
export const TimeRegister = z.strictObject({
  register,
  type: z.enum(["u32", "u64", "i64", "f64"]),
  order,
  table: wordTable,
  unit: z.enum(["ms", "s"]).default("ms").meta({ description: "Since 1970, UTC." }),
});
export type TimeRegister = z.infer<typeof TimeRegister>;

/** Where a device that plays back what it has kept shows the number of the row it shows. */
export const RowRegister = z.strictObject({
  register,
  type: z.enum(["u16", "u32", "u64"]),
  order,
  table: wordTable,
});
export type RowRegister = z.infer<typeof RowRegister>;

/** One model of device: which registers hold which fields of a measurement. */
export const RegisterMap = z.strictObject({
  measurement: z.string().min(1).meta({ description: "The catalogue's name of what the device measures." }),
  time: TimeRegister.optional().meta({
    description: "The device's own event time; without it a reading has the time at which it was read.",
  }),
  row: RowRegister.optional().meta({
    description:
      "Number of the row that the device shows. While it changes between two reads the device is read again at once; a row is sent once.",
  }),
  gap: z.int().min(0).max(120).default(8).meta({
    description: "Unused registers between two used ones that are read along, to save a request.",
  }),
  fields: z
    .record(z.string(), FieldRegister)
    .refine((fields) => Object.keys(fields).length > 0, "a map without fields reads nothing")
    .meta({ description: "By the field's name in the catalogue." }),
});
export type RegisterMap = z.infer<typeof RegisterMap>;
