import { z } from "zod";

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "lower-case letters, digits, _ and -, at most 63");

const Url = z
  .url({ protocol: /^https?$/, error: "http://HOST:PORT or https://HOST:PORT" })
  .refine((text) => {
    const { username, password, search, hash } = new URL(text);
    return `${username}${password}${search}${hash}` === "";
  }, "no user, password or parameters in it: influx_user names the user, MARSAD_INFLUX_PASSWORD has the password")
  .overwrite((text) => text.replace(/\/+$/, ""));

/** Where an InfluxDB is, for `store: influxdb`; keys of the platform's configuration. */
export const influxShape = {
  influx_url: Url.optional().meta({
    env: "MARSAD_INFLUX_URL",
    description: "InfluxDB 1.x, 2.x or 3.x, such as http://127.0.0.1:8086; for `store: influxdb`.",
  }),
  influx_db: name.default("marsad").meta({
    env: "MARSAD_INFLUX_DB",
    description: "Its database, made where InfluxDB lets us; a bucket in 2.x.",
  }),
  influx_rp: name.optional().meta({
    env: "MARSAD_INFLUX_RP",
    description:
      "The retention policy to write to; left out: the database's default one. 2.x and 3.x know it as DATABASE/POLICY.",
  }),
  influx_user: z.string().min(1).optional().meta({
    env: "MARSAD_INFLUX_USER",
    description: "Whom InfluxDB knows us as; 2.x and 3.x take any name with a token as password.",
  }),
  influx_password: z.string().min(1).optional().meta({
    env: "MARSAD_INFLUX_PASSWORD",
    secret: true,
    description: "The user's password, or the token of 2.x and 3.x.",
  }),
  influx_retention_days: z.coerce.number().min(0.05).max(36_500).optional().meta({
    env: "MARSAD_INFLUX_RETENTION_DAYS",
    unit: "d",
    description: "How long InfluxDB keeps readings; left out: for ever, or as its operator has said.",
  }),
  influx_timeout: z.coerce.number().int().min(100).default(30_000).meta({
    env: "MARSAD_INFLUX_TIMEOUT",
    unit: "ms",
    description: "Longest wait for InfluxDB to answer a write; then it is tried again.",
  }),
};
