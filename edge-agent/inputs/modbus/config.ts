import { z } from "zod";
import { SensorId } from "#telemetry/names.ts";
import { parseModbusAddress } from "./address.ts";

const Device = z.strictObject({
  unit: z
    .int()
    .min(0)
    .max(255)
    .meta({ description: "The device's unit id (slave address): 1 to 247 on a serial line." }),
  sensor: SensorId.meta({ description: "The sensor whose readings these are." }),
  map: z.string().min(1).meta({ description: "The device's model: a name from `register_maps`." }),
  poll_ms: z.int().min(10).max(86_400_000).optional().meta({
    unit: "ms",
    description: "How often this device is read, where it differs from the bus.",
  }),
});

/** A bus: the devices behind one TCP address or serial line, read one after the other over one connection. */
export const ModbusInput = z
  .strictObject({
    type: z.literal("modbus").meta({ description: "Meters that are asked for their registers." }),
    connect: z
      .string()
      .refine(
        (text) => parseModbusAddress(text) !== undefined,
        "tcp://HOST:PORT or rtu:///dev/DEVICE, as in tcp://192.168.7.20:502 and rtu:///dev/ttyUSB0",
      )
      .meta({
        description: "Where the devices are: tcp://HOST:PORT (port 502 if left out) or rtu:///dev/DEVICE.",
      }),
    serial: z
      .strictObject({
        baud_rate: z.int().min(300).max(4_000_000).default(9600).meta({ unit: "Bd" }),
        parity: z.enum(["none", "even", "odd"]).default("none"),
        data_bits: z.union([z.literal(7), z.literal(8)]).default(8),
        stop_bits: z.union([z.literal(1), z.literal(2)]).default(1),
      })
      .optional()
      .meta({ description: "The serial line, for rtu:// only; as on the devices' label or display." }),
    poll_ms: z
      .int()
      .min(10)
      .max(86_400_000)
      .default(10_000)
      .meta({ unit: "ms", description: "How often each device is read, on an even grid." }),
    timeout_ms: z
      .int()
      .min(10)
      .max(60_000)
      .default(1000)
      .meta({ unit: "ms", description: "Longest wait for a device's answer." }),
    devices: z.array(Device).min(1).max(1000),
  })
  .superRefine(({ connect, serial, devices }, context) => {
    const serialLine = parseModbusAddress(connect)?.protocol === "rtu";
    if (!serialLine && serial !== undefined) {
      const message = "only a serial line (rtu://…) has these: leave `serial` out, or correct `connect`";
      context.addIssue({ code: "custom", path: ["serial"], message });
    }
    const known = new Map<string, number>();
    for (const [index, { unit, map }] of devices.entries()) {
      if (serialLine && (unit < 1 || unit > 247)) {
        const message = "a device on a serial line has a unit id from 1 to 247";
        context.addIssue({ code: "custom", path: ["devices", index, "unit"], message });
      }
      const earlier = known.get(`${unit} ${map}`);
      if (earlier === undefined) known.set(`${unit} ${map}`, index);
      else {
        const message = `unit ${unit} is read with map ${map} already, as devices[${earlier}]: each device once`;
        context.addIssue({ code: "custom", path: ["devices", index, "unit"], message });
      }
    }
  });
export type ModbusInput = z.infer<typeof ModbusInput>;
export type ModbusDevice = ModbusInput["devices"][number];
