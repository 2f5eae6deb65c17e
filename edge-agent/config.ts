import { z } from "zod";
import { BirthSensor } from "#telemetry/birth.ts";
import { AgencyName, GatewayName } from "#telemetry/names.ts";
import { SensorAttributes } from "#telemetry/sensor.ts";
import { FilterRule } from "./filters/rule.ts";
import { parseListenAddress } from "./inputs/input.ts";
import { ModbusInput } from "./inputs/modbus/config.ts";
import { RegisterMap } from "./inputs/modbus/register-map.ts";
import { MqttInput } from "./inputs/mqtt/config.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

/** Bytes that may be in flight on a connection; the platform's bound for one connection is above it. */
export const maxBytesInFlight = 768 * KiB;

/** Bytes of the birth's sensors; the platform closes a connection that sends a packet of more than 256 KiB. */
const maxSensorBytes = 240 * KiB;

const LinesInput = z.strictObject({
  type: z.literal("lines").meta({ description: "Line protocol, one reading a line." }),
  listen: z
    .string()
    .refine((text) => parseListenAddress(text) !== undefined, "tcp://HOST:PORT or udp://HOST:PORT")
    .meta({
      description: "Where sensors deliver: tcp://HOST:PORT or udp://HOST:PORT; port 0 is any free one.",
    }),
  max_line_bytes: z
    .int()
    .min(64)
    .max(16 * KiB)
    .default(4 * KiB)
    .meta({ unit: "By", description: "Longer lines are dropped and counted." }),
  max_connections: z.int().positive().max(65_535).default(1024).meta({ description: "TCP clients at once." }),
});

const MapName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "small letters, digits and . _ -, at most 63");

const Settings = z.strictObject({
  agency: AgencyName.meta({ description: "The agency that the gateway belongs to." }),
  gateway: GatewayName.meta({ description: "The gateway's name; also its user name at the broker." }),
  place: SensorAttributes.shape.place.meta({ description: "Where the gateway stands: code, name or alias." }),
  mqtt: z
    .string()
    .regex(/^mqtts?:\/\/[^\s/@?#]+:\d{1,5}$/, "mqtt://HOST:PORT, or mqtts://HOST:PORT")
    .meta({
      env: "MARSAD_EDGE_MQTT",
      description: "The platform's broker: mqtts://HOST:PORT with TLS, mqtt://HOST:PORT without.",
    }),
  tls: z
    .strictObject({
      ca_file: z.string().min(1).optional().meta({
        description:
          "PEM file with the authority that signed the broker's certificate, where it is not one that every machine knows; read at each connection.",
      }),
      server_name: z.string().min(1).optional().meta({
        description:
          "The name that the broker's certificate must be for, where it is not the host in `mqtt`.",
      }),
    })
    .optional()
    .meta({ description: "How the broker's certificate is verified, with mqtts://. It always is." }),
  password: z.string().min(1).optional().meta({
    env: "MARSAD_EDGE_PASSWORD",
    secret: true,
    description: "The gateway's password; better in a file.",
  }),
  password_file: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "A file with the password alone; read at each connection, so it may be changed." }),
  keepalive_s: z
    .int()
    .min(1)
    .max(3600)
    .default(30)
    .meta({ unit: "s", description: "Silence after which the broker is asked for a sign of life." }),
  data: z.string().min(1).default("marsad-edge").meta({
    env: "MARSAD_EDGE_DATA",
    description: "The agent keeps its outbox in the folder GATEWAY below this one.",
  }),
  inputs: z.array(z.discriminatedUnion("type", [LinesInput, ModbusInput, MqttInput])).min(1),
  register_maps: z.record(MapName, RegisterMap).default({}).meta({
    description: "Models of Modbus devices, by a name that inputs[].devices[].map gives.",
  }),
  catalogue: z.string().min(1).optional().meta({
    description: "A folder with the city's own measurements, as the platform's catalogue.d has them.",
  }),
  sensors: z.array(BirthSensor).default([]).meta({ description: "The sensors behind this gateway." }),
  filters: z.array(FilterRule).max(200).default([]).meta({
    description: "What need not be sent; of several that name a reading, the first holds.",
  }),
  correct_clock: z.boolean().default(false).meta({
    description:
      "Correct the times of arrival that the agent gives to readings without a time by what the platform's clock says. Times that sensors give are never changed.",
  }),
  batch: z
    .strictObject({
      max_bytes: z
        .int()
        .min(KiB)
        .max(128 * KiB)
        .default(64 * KiB)
        .meta({ unit: "By", description: "Bytes of one MQTT payload." }),
      max_age_ms: z
        .int()
        .min(1)
        .max(60_000)
        .default(250)
        .meta({ unit: "ms", description: "Longest wait from a reading's arrival to the outbox." }),
    })
    .prefault({}),
  compress: z.boolean().default(false).meta({
    description:
      "Send batches compressed (up/lp-zstd): a sixth of the bytes for about 0.3 CPU-seconds a million readings here and 0.2 at the platform. Worth it on metered or slow links.",
  }),
  window: z
    .int()
    .min(1)
    .max(64)
    .default(8)
    .meta({ description: "Batches in flight at once; their bytes stay below 768 KiB." }),
  reconnect: z
    .strictObject({
      min_ms: z.int().positive().default(250).meta({ unit: "ms" }),
      max_ms: z.int().positive().default(30_000).meta({ unit: "ms" }),
    })
    .prefault({})
    .meta({ description: "Bounds of the wait between two attempts to connect: exponential, full jitter." }),
  outbox: z
    .strictObject({
      max_live_bytes: z
        .int()
        .min(MiB)
        .default(1024 * MiB)
        .meta({ unit: "By", description: "Readings kept without a PUBACK; when full, senders wait." }),
      max_file_bytes: z
        .int()
        .min(MiB)
        .default(1536 * MiB)
        .meta({ unit: "By", description: "Size of the outbox's file, which never shrinks." }),
    })
    .prefault({}),
  health_period_s: z
    .number()
    .positive()
    .default(60)
    .meta({ unit: "s", description: "How often the gateway reports on itself." }),
});

/** What one agent is told: who it is, whom it hears, where it sends, and its bounds. */
export const EdgeAgentConfig = Settings.refine(
  ({ password, password_file: file }) => (password === undefined) !== (file === undefined),
  { path: ["password_file"], error: "give either password_file or password (MARSAD_EDGE_PASSWORD)" },
)
  .refine(
    ({ batch, inputs }) =>
      inputs.every((input) => input.type !== "lines" || 2 * input.max_line_bytes <= batch.max_bytes),
    { path: ["batch", "max_bytes"], error: "must be at least twice the longest max_line_bytes" },
  )
  .superRefine(checkDevices)
  .refine(({ batch, filters }) => filters.length === 0 || batch.max_bytes >= 4 * KiB, {
    path: ["batch", "max_bytes"],
    error: "must be at least 4096 where there are filters: an average may be a long line",
  })
  .refine(({ mqtt, tls }) => tls === undefined || mqtt.startsWith("mqtts:"), {
    path: ["tls"],
    error: "has no meaning without TLS: write mqtts:// in mqtt",
  })
  .refine(({ sensors }) => Buffer.byteLength(JSON.stringify(sensors)) <= maxSensorBytes, {
    path: ["sensors"],
    error: `all sensors go into one birth message, which may have ${maxSensorBytes} bytes: divide them among gateways`,
  });
export type EdgeAgentConfig = z.infer<typeof EdgeAgentConfig>;

/** Every device has a map, every bus and client one connection, and no two devices are one sensor. */
function checkDevices(
  { inputs, register_maps: maps }: z.infer<typeof Settings>,
  context: z.core.$RefinementCtx,
): void {
  const refuse = (path: PropertyKey[], message: string): void =>
    context.addIssue({ code: "custom", path: ["inputs", ...path], message });
  const connections = new Map<string, number>();
  const series = new Map<string, string>();
  for (const [at, input] of inputs.entries()) {
    if (input.type === "lines") continue;
    const { type, connect } = input;
    const connection = type === "mqtt" ? `${connect} ${input.client_id ?? ""}` : connect;
    const earlier = connections.get(connection);
    if (earlier === undefined) connections.set(connection, at);
    else if (type === "mqtt")
      refuse([at, "client_id"], `inputs[${earlier}] has it too: give another, or join the two`);
    else
      refuse(
        [at, "connect"],
        `inputs[${earlier}] is this bus already: put the devices together, each may have its poll_ms`,
      );
    if (type === "mqtt") continue;
    for (const [index, { sensor, map }] of input.devices.entries()) {
      const where = `inputs[${at}].devices[${index}]`;
      const measurement = maps[map]?.measurement;
      if (measurement === undefined) {
        const known = Object.keys(maps);
        const there = known.length === 0 ? "there is none" : `there is ${known.join(", ")}`;
        refuse([at, "devices", index, "map"], `register_maps has no "${map}"; ${there}`);
      }
      const twin = series.get(`${sensor} ${map}`);
      if (twin === undefined) series.set(`${sensor} ${map}`, where);
      else
        refuse(
          [at, "devices", index, "sensor"],
          `${twin} is the sensor ${sensor} already: two devices would write one series`,
        );
    }
  }
}

/** The schema of one key by itself. */
export function settingsOf(key: string): z.ZodType | undefined {
  return (Settings.shape as Readonly<Record<string, z.ZodType>>)[key];
}
