import { expect, test } from "vitest";
import { PlatformConfig } from "#cli/platform/config.ts";
import { flagsOf, resolveConfig } from "#runtime/config.ts";

const resolve = (
  flags: Record<string, string>,
  env: Record<string, string> = {},
): ReturnType<typeof resolveConfig<typeof PlatformConfig>> => resolveConfig(PlatformConfig, { flags, env });

test("an InfluxDB store has an address, and a database called marsad unless told otherwise", async () => {
  const config = await resolve(
    { store: "influxdb", influxUrl: "http://127.0.0.1:8086/" },
    { MARSAD_INFLUX_USER: "marsad", MARSAD_INFLUX_PASSWORD: "17" },
  );
  expect(config).toMatchObject({
    influx_url: "http://127.0.0.1:8086",
    influx_db: "marsad",
    influx_user: "marsad",
    influx_password: "17",
  });
  await expect(resolve({ store: "influxdb" })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining("--influx-url"),
  });
});

test("a password is never an argument, nor part of the address", async () => {
  expect(flagsOf(PlatformConfig).filter(({ flags }) => /password/.test(flags))).toEqual([]);
  for (const influxUrl of ["http://me:secret@host:8086", "host:8086", "ftp://host", "http://host?u=x"]) {
    await expect(resolve({ store: "influxdb", influxUrl })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.not.stringContaining("secret"),
    });
  }
  await expect(
    resolve({ store: "influxdb", influxUrl: "http://host", influxUser: "marsad" }),
  ).rejects.toMatchObject({ message: expect.stringContaining("MARSAD_INFLUX_PASSWORD") });
});

test("names are lower-case, as every generation of InfluxDB takes them", async () => {
  for (const influxDb of ["City", "", "a b", "-x"]) {
    await expect(resolve({ store: "influxdb", influxUrl: "http://host", influxDb })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
  }
});
