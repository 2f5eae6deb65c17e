import { z } from "zod";
import { IngestLimits } from "#ingest/limits.ts";
import { influxShape } from "./influx-config.ts";
import { keepsCoarserLonger, rollupShape } from "./rollup-config.ts";

const listenAddress = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:]+):\d{1,5}$/, "HOST:PORT, such as 127.0.0.1:1883");

const Settings = z.strictObject({
  data: z
    .string()
    .min(1)
    .default("marsad-data")
    .meta({ env: "MARSAD_DATA", description: "The data folder: journal, store, registry, identities." }),
  mqtt: listenAddress
    .default("127.0.0.1:1883")
    .meta({ env: "MARSAD_MQTT", description: "Where gateways connect; port 0 is any free one." }),
  http: listenAddress
    .default("127.0.0.1:8080")
    .meta({ env: "MARSAD_HTTP_LISTEN", description: "Where the HTTP API listens; port 0 is any free one." }),
  store: z.enum(["duckdb", "influxdb"]).default("duckdb").meta({
    env: "MARSAD_STORE",
    description: "Where readings are kept: in the data folder, or in an InfluxDB.",
  }),
  ...influxShape,
  ...rollupShape,
  tls_cert: z.string().min(1).optional().meta({
    env: "MARSAD_TLS_CERT",
    description:
      "PEM file with the certificate that MQTT and HTTP show, and those between it and the root; read again at SIGHUP. See docs/tls.md.",
  }),
  tls_key: z
    .string()
    .min(1)
    .optional()
    .meta({ env: "MARSAD_TLS_KEY", description: "PEM file with the certificate's private key." }),
  tls_client_ca: z.string().min(1).optional().meta({
    env: "MARSAD_TLS_CLIENT_CA",
    description:
      "PEM file with the authority whose client certificates may use HTTP, with the role operator. See docs/users.md.",
  }),
  behind_proxy: z.stringbool().or(z.boolean()).default(false).meta({
    env: "MARSAD_BEHIND_PROXY",
    description:
      "Something in front encrypts, and asks who it is as long as there are no users; without it, and without TLS, the platform listens on loopback only.",
  }),
  query_max_s: z.number().min(0.1).max(3600).default(30).meta({
    env: "MARSAD_QUERY_MAX_S",
    unit: "s",
    description: "How long the statements of one InfluxQL request may take; with InfluxDB its answer, too.",
  }),
  query_max_rows: z.number().int().min(1).default(1_000_000).meta({
    env: "MARSAD_QUERY_MAX_ROWS",
    description: "Rows of an InfluxQL answer; with InfluxDB 256 bytes for each.",
  }),
  query_max_values: z.number().int().min(1).default(10_000_000).meta({
    env: "MARSAD_QUERY_MAX_VALUES",
    description:
      "Values that an InfluxQL statement on the embedded store may hold in memory between its steps, 8 bytes each.",
  }),
  time_interval_s: z
    .number()
    .min(0.1)
    .max(3600)
    .default(60)
    .meta({ unit: "s", description: "How often gateways are told the platform's time (down/time)." }),
  ready_file: z
    .string()
    .optional()
    .meta({ env: "MARSAD_READY_FILE", description: "Write the addresses to this file once all is usable." }),
  log_level: z
    .enum(["trace", "debug", "info", "warn", "error", "fatal"])
    .default("info")
    .meta({ env: "MARSAD_LOG_LEVEL", description: "What is logged, on stderr." }),
  ...IngestLimits.shape,
});

/** Everything that `marsad platform` can be told. */
export const PlatformConfig = Settings.refine(
  ({ store, influx_url }) => store !== "influxdb" || influx_url !== undefined,
  "store influxdb needs an address: influx_url, MARSAD_INFLUX_URL or --influx-url, such as http://127.0.0.1:8086",
)
  .refine(
    ({ influx_user, influx_password }) => influx_user === undefined || influx_password !== undefined,
    "influx_user has no password: give it in MARSAD_INFLUX_PASSWORD, or name a file that holds it in MARSAD_INFLUX_PASSWORD_FILE",
  )
  .refine(
    keepsCoarserLonger,
    "a coarser roll-up must be kept at least as long as the finer one that it is made of: rollup_1m_days <= rollup_1h_days <= rollup_1d_days, left out is for ever",
  );
export type PlatformConfig = z.infer<typeof PlatformConfig>;
