import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { createAuthenticator } from "#broker/identities.ts";
import { prepareCity } from "#cli/up/demo-city.ts";
import { EdgeAgentConfig } from "#edge-agent/config.ts";
import { hasCode } from "#runtime/errors.ts";
import { openRecordStore } from "#runtime/record-store.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const wishes = { seed: 7, sensors: 24, history_ms: 3_600_000 };
const noWishes = { seed: undefined, sensors: undefined, history_ms: 0 };

test("every gateway gets a configuration its agent takes and a password the platform knows", async () => {
  using folder = tempFolder("city");
  const city = await prepareCity(folder.path, wishes, "127.0.0.1:4321");
  expect(city.gateways.length).toBeGreaterThan(1);
  expect(city.gateways.reduce((sum, { sensors }) => sum + sensors, 0)).toBe(24);

  await using identities = await openRecordStore(join(folder.path, "identities"));
  const authenticate = createAuthenticator(identities);
  const meters = city.gateways.filter(({ modbus }) => modbus.length > 0).map(({ agency }) => agency);
  expect(meters.toSorted()).toEqual(["energy", "water"]);
  for (const { name, agency, config, input, modbus } of city.gateways) {
    const settings = EdgeAgentConfig.parse(parse(await readFile(config, "utf8")));
    expect(settings).toMatchObject({
      gateway: name,
      mqtt: "mqtt://127.0.0.1:4321",
      inputs: [
        { listen: `tcp://${input}` },
        ...modbus.map((at) => ({ type: "modbus", connect: `tcp://${at}` })),
      ],
    });
    const since = settings.sensors.map((sensor) => sensor.valid_from!);
    expect(Math.max(...since)).toBeLessThan(Date.now() - wishes.history_ms);
    const password = (await readFile(settings.password_file!, "utf8")).trim();
    expect(await authenticate(name, Buffer.from(password))).toEqual({ name, agency });
    expect((await stat(settings.password_file!)).mode & 0o777).toBe(0o600);
  }
});

test("a later start keeps the city and its passwords, and mends a lost one", async () => {
  using folder = tempFolder("city");
  const first = await prepareCity(folder.path, wishes, "127.0.0.1:1");
  const passwordOf = (gateway: string): Promise<string> =>
    readFile(join(folder.path, "edge", gateway, "password"), "utf8");
  const [one, two] = first.gateways.map(({ name }) => name);
  const before = await Promise.all([passwordOf(one!), passwordOf(two!)]);
  await rm(join(folder.path, "edge", two!, "password"));

  const second = await prepareCity(folder.path, noWishes, "127.0.0.1:2");
  expect(second).toMatchObject({ seed: 7, sensors: 24 });
  expect(second.gateways.map(({ name }) => name)).toEqual(first.gateways.map(({ name }) => name));
  expect(await passwordOf(one!)).toBe(before[0]);
  expect(await passwordOf(two!)).not.toBe(before[1]);
});

test("the city may grow, but not become another one", async () => {
  using folder = tempFolder("city");
  await prepareCity(folder.path, wishes, "127.0.0.1:1");
  const grown = await prepareCity(folder.path, { ...noWishes, sensors: 40 }, "127.0.0.1:1");
  expect(grown).toMatchObject({ seed: 7, sensors: 40 });
  const attempt = prepareCity(folder.path, { ...noWishes, seed: 8 }, "127.0.0.1:1");
  await expect(attempt).rejects.toThrow("--seed");
  await expect(attempt).rejects.toSatisfy((error) => hasCode(error, "CONFIG_INVALID"));
});
