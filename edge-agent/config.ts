import { z } from "zod";
import { BirthSensor } from "#telemetry/birth.ts";
import { AgencyName, GatewayName } from "#telemetry/names.ts";
import { SensorAttributes } from "#telemetry/sensor.ts";
import { parseListenAddress } from "./inputs/input.ts";

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

const Settings = z.strictObject({
  agency: AgencyName.meta({ description: "The agency that the gateway belongs to." }),
  gateway: GatewayName.meta({ description: "The gateway's name; also its user name at the broker." }),
  place: SensorAttributes.shape.place.meta({ description: "Where the gateway stands: code, name or alias." }),
  mqtt: z
    .string()
    .regex(/^mqtt:\/\/[^\s/@?#]+:\d{1,5}$/, "mqtt://HOST:PORT")
    .meta({ env: "MARSAD_EDGE_MQTT", description: "The platform's broker: mqtt://HOST:PORT." }),
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
  inputs: z.array(z.discriminatedUnion("type", [LinesInput])).min(1),
  sensors: z.array(BirthSensor).default([]).meta({ description: "The sensors behind this gateway." }),
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
  .refine(({ batch, inputs }) => inputs.every((input) => 2 * input.max_line_bytes <= batch.max_bytes), {
    path: ["batch", "max_bytes"],
    error: "must be at least twice the longest max_line_bytes",
  })
  .refine(({ sensors }) => Buffer.byteLength(JSON.stringify(sensors)) <= maxSensorBytes, {
    path: ["sensors"],
    error: `all sensors go into one birth message, which may have ${maxSensorBytes} bytes: divide them among gateways`,
  });
export type EdgeAgentConfig = z.infer<typeof EdgeAgentConfig>;
