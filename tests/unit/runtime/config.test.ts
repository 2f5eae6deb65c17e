import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { parseConfigFile } from "#runtime/config-file.ts";
import { nearest } from "#runtime/config-schema.ts";
import { type ConfigSources, flagsOf, resolveConfig } from "#runtime/config.ts";
import { MarsadError } from "#runtime/errors.ts";

const Config = z.object({
  mqtt: z
    .string()
    .default("127.0.0.1:1883")
    .meta({ env: "MARSAD_MQTT", description: "Where gateways connect." }),
  max_age_days: z.coerce
    .number()
    .positive()
    .default(400)
    .meta({ env: "MARSAD_MAX_AGE_DAYS", unit: "d", description: "Older readings are refused." }),
  behind_proxy: z
    .stringbool()
    .or(z.boolean())
    .default(false)
    .meta({ env: "MARSAD_BEHIND_PROXY", description: "Something else encrypts." }),
  live: z.boolean().default(true).meta({ env: "MARSAD_LIVE", description: "Show a live line." }),
  password: z
    .string()
    .min(8)
    .optional()
    .meta({ env: "MARSAD_PASSWORD", secret: true, description: "For the store." }),
  store: z.enum(["duckdb", "influxdb"]).default("duckdb").meta({ description: "What keeps the readings." }),
  inputs: z
    .array(z.object({ listen: z.string(), max_line_bytes: z.int().default(4096).meta({ unit: "By" }) }))
    .default([]),
  batch: z.object({ max_bytes: z.int().positive().default(65_536) }).prefault({}),
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "marsad-config-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function fileWith(text: string, name = "platform.yaml"): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}
const resolve = (sources: Partial<ConfigSources>): ReturnType<typeof resolveConfig<typeof Config>> =>
  resolveConfig(Config, { flags: {}, env: {}, ...sources });
async function refusal(sources: Partial<ConfigSources>): Promise<string> {
  const error: unknown = await resolve(sources).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "CONFIG_INVALID" });
  return (error as Error).message.replaceAll(`${folder}/`, "");
}

test("with nothing said everything has its default, and the values are frozen to the bottom", async () => {
  const config = await resolve({});
  expect(config).toEqual({
    mqtt: "127.0.0.1:1883",
    max_age_days: 400,
    behind_proxy: false,
    live: true,
    store: "duckdb",
    inputs: [],
    batch: { max_bytes: 65_536 },
  });
  expect([Object.isFrozen(config), Object.isFrozen(config.batch), Object.isFrozen(config.inputs)]).toEqual([
    true,
    true,
    true,
  ]);
});

test("flags win over the environment, the environment over the file, the file over defaults", async () => {
  const values = { default: 400, file: 1, env: 2, flag: 3 } as const;
  const some = fc.record({ file: fc.boolean(), env: fc.boolean(), flag: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(some, async (by) => {
      const config = await resolve({
        ...(by.file && { file: await fileWith(`max_age_days: ${values.file}\n`) }),
        env: by.env ? { MARSAD_MAX_AGE_DAYS: String(values.env) } : {},
        flags: by.flag ? { maxAgeDays: String(values.flag) } : {},
      });
      const winner = (["flag", "env", "file"] as const).find((source) => by[source]) ?? "default";
      expect(config.max_age_days).toBe(values[winner]);
    }),
    { numRuns: 30 },
  );
});

test("a file may hold groups and lists; an empty file says nothing", async () => {
  const file = await fileWith(
    "inputs:\n  - listen: tcp://127.0.0.1:0\n  - {listen: 'udp://[::1]:9', max_line_bytes: 100}\n",
  );
  expect((await resolve({ file })).inputs).toEqual([
    { listen: "tcp://127.0.0.1:0", max_line_bytes: 4096 },
    { listen: "udp://[::1]:9", max_line_bytes: 100 },
  ]);
  expect((await resolve({ file: await fileWith("# nothing\n") })).mqtt).toBe("127.0.0.1:1883");
});

test("words from outside become what the key wants: switches, numbers, groups", async () => {
  const env = {
    MARSAD_BEHIND_PROXY: "true",
    MARSAD_LIVE: "false",
    MARSAD_MQTT: "123",
    MARSAD_PASSWORD: "12345678",
  };
  const config = await resolve({ env, flags: { maxAgeDays: "1.5", batch: "{max_bytes: 7}" } });
  expect(config).toMatchObject({
    behind_proxy: true,
    live: false,
    mqtt: "123",
    password: "12345678",
    max_age_days: 1.5,
    batch: { max_bytes: 7 },
  });
  expect(await resolve({ env: { MARSAD_MQTT: "" } })).toMatchObject({ mqtt: "127.0.0.1:1883" });
});

test("a secret comes from the environment or from a file that it names, trimmed", async () => {
  const path = await fileWith("correct horse\n", "password");
  expect((await resolve({ env: { MARSAD_PASSWORD_FILE: path } })).password).toBe("correct horse");
  const both = { MARSAD_PASSWORD_FILE: path, MARSAD_PASSWORD: "battery staple" };
  expect((await resolve({ env: both })).password).toBe("battery staple");
  expect(await refusal({ env: { MARSAD_PASSWORD_FILE: join(folder, "missing") } })).toContain(
    "MARSAD_PASSWORD_FILE",
  );
});

test("a wrong secret is not shown", async () => {
  const error: unknown = await resolve({ env: { MARSAD_PASSWORD: "hunter2" } }).catch(
    (thrown: unknown) => thrown,
  );
  expect(
    JSON.stringify([error, String(error), (error as Error).cause, (error as Error).stack]),
  ).not.toContain("hunter2");
});

test("an unknown key is refused with its place, its full path and the nearest known one", async () => {
  expect(await refusal({ file: await fileWith("mqtt: x\nmax_age_day: 3\n") })).toBe(
    "platform.yaml:2: max_age_day: there is no such key; did you mean max_age_days?",
  );
  expect(
    await refusal({ file: await fileWith("inputs:\n- listen: x\n- listen: y\n  maxLineBytes: 3\n") }),
  ).toBe("platform.yaml:4: inputs[1].maxLineBytes: there is no such key; did you mean max_line_bytes?");
  expect(await refusal({ file: await fileWith("batch: {colour: red}\n") })).toBe(
    "platform.yaml:1: batch.colour: there is no such key; the keys are max_bytes",
  );
  for (const name of ["toString", "__proto__", "constructor"]) {
    expect(await refusal({ file: await fileWith(`${name}: {a: 1}\n`) })).toContain("there is no such key");
  }
});

test("a wrong value is told with key, source, what is wrong and what the key means", async () => {
  const file = await fileWith("mqtt: x\n\nmax_age_days: -1\nbatch:\n  max_bytes: many\n");
  const message = await refusal({ file });
  expect(message).toMatch(
    /^platform\.yaml:3: max_age_days: .*>0.* \(Older readings are refused\. Unit: d\.\)$/m,
  );
  expect(message).toMatch(/^platform\.yaml:5: batch\.max_bytes: .*expected number, received string$/m);
  expect(await refusal({ env: { MARSAD_MAX_AGE_DAYS: "old" } })).toMatch(
    /^MARSAD_MAX_AGE_DAYS: max_age_days: .*expected number/,
  );
  expect(await refusal({ flags: { store: "sqlite" } })).toMatch(/^--store: store: .*"duckdb"\|"influxdb"/);
  expect(await refusal({ flags: { live: "perhaps" } })).toMatch(/^--live: live: .*expected boolean/);
});

test("a missing value is told with the ways to give it, a broken rule between keys by its own words", async () => {
  const Needy = z
    .object({
      broker_url: z.url().meta({ env: "MARSAD_BROKER_URL", description: "The broker." }),
      a: z.int().default(1),
    })
    .refine(({ a }) => a === 1, "a goes with no broker");
  await expect(resolveConfig(Needy, { flags: {}, env: {} })).rejects.toThrow(
    "broker_url is missing: The broker. Give it in the file as broker_url, or in the environment as MARSAD_BROKER_URL, or as --broker-url.",
  );
  const env = { MARSAD_BROKER_URL: "mqtt://x" };
  await expect(resolveConfig(Needy, { flags: { a: "2" }, env })).rejects.toThrow("a goes with no broker");
});

test("what is no configuration is refused with its line", async () => {
  expect(await refusal({ file: await fileWith("mqtt: a\nhttp: ]\n") })).toMatch(/^platform\.yaml:2: /);
  expect(await refusal({ file: await fileWith("mqtt: a\nmqtt: b\n") })).toMatch(
    /^platform\.yaml:2: .*unique/,
  );
  expect(await refusal({ file: await fileWith("- a\n") })).toContain("no list of keys");
  expect(await refusal({ file: join(folder, "missing.yaml") })).toContain("missing.yaml cannot be read");
  expect(await refusal({ file: folder })).toContain("cannot be read");
});

const yamlish = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(
      fc.constantFrom(
        "mqtt",
        "inputs",
        "batch",
        ": ",
        "- ",
        "\n",
        "  ",
        "*a",
        "&a ",
        "{",
        "}",
        "[",
        "]",
        "!!js ",
        "'",
        '"',
        "|",
        "<<: *a",
        "? ",
        "1e400",
      ),
      { maxLength: 30 },
    )
    .map((parts) => parts.join("")),
);

test("any YAML text is values, or refused as CONFIG_INVALID", () => {
  fc.assert(
    fc.property(yamlish, (text) => {
      try {
        const file = parseConfigFile(text, "f.yaml");
        expect(typeof file.values).toBe("object");
        file.where(["inputs", 0, "listen"]);
      } catch (error) {
        if (!(error instanceof MarsadError) || error.code !== "CONFIG_INVALID") throw error;
      }
    }),
    { numRuns: 500 },
  );
});

test("any word on the command line is a value, or refused as CONFIG_INVALID", async () => {
  await fc.assert(
    fc.asyncProperty(yamlish, async (text) => {
      const outcome: unknown = await resolve({ flags: { mqtt: text, batch: text, store: text } }).catch(
        (thrown: unknown) => thrown,
      );
      expect(outcome).toSatisfy((each: unknown) => !(each instanceof Error) || each instanceof MarsadError);
    }),
  );
});

test("flags are the keys that one word can say, secrets left out, with unit, default and variable", () => {
  expect(flagsOf(Config)).toEqual([
    {
      flags: "--mqtt <value>",
      description: "Where gateways connect. (default: 127.0.0.1:1883, env: MARSAD_MQTT)",
    },
    {
      flags: "--max-age-days <value>",
      description: "Older readings are refused. (unit: d, default: 400, env: MARSAD_MAX_AGE_DAYS)",
    },
    { flags: "--behind-proxy", description: "Something else encrypts. (env: MARSAD_BEHIND_PROXY)" },
    { flags: "--live <value>", description: "Show a live line. (default: true, env: MARSAD_LIVE)" },
    { flags: "--store <value>", description: "What keeps the readings. (default: duckdb)" },
  ]);
});

test("the nearest key is one that could be meant, or none", () => {
  const keys = ["mqtt", "http", "max_age_days"];
  expect([
    nearest("mtqq", keys),
    nearest("max-age-days", keys),
    nearest("MQTT", keys),
    nearest("colour", keys),
  ]).toEqual([undefined, "max_age_days", "mqtt", undefined]);
});
