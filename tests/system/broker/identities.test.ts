import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { hash as argon2 } from "@node-rs/argon2";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type GatewayConfig,
  gatewayConfig,
  listGatewayConfigs,
  noteConfigReports,
  setGatewayConfig,
  watchGatewayConfigs,
} from "#broker/gateway-config.ts";
import {
  addGateway,
  createAuthenticator,
  listGateways,
  removeGateway,
  watchGateways,
} from "#broker/identities.ts";
import { type RecordStore, openRecordStore } from "#runtime/record-store.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { openTestBroker } from "./support.ts";

const run = promisify(execFile);
const corniche = { name: "corniche-1", agency: "mobility" };

interface Identities extends AsyncDisposable {
  readonly data: string;
  readonly records: RecordStore;
}

async function open(): Promise<Identities> {
  const folder = tempFolder("identities");
  const records = await openRecordStore(join(folder.path, "identities"));
  return {
    data: folder.path,
    records,
    async [Symbol.asyncDispose]() {
      await records[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

const bytes = (text: string): Buffer => Buffer.from(text);

describe("identities", () => {
  test("a gateway is known by the password it was given, and by no other", async () => {
    await using identities = await open();
    const password = await addGateway(identities.records, corniche);
    expect(password).toMatch(/^[\w-]{32}$/);
    const authenticate = createAuthenticator(identities.records);
    for (let round = 0; round < 2; round++) {
      expect(await authenticate("corniche-1", bytes(password))).toEqual(corniche);
      expect(await authenticate("corniche-1", bytes(`${password}x`))).toBeUndefined();
      expect(await authenticate("corniche-1", bytes(""))).toBeUndefined();
      expect(await authenticate("corniche-2", bytes(password))).toBeUndefined();
    }
  });

  test("only a hash of the password is stored", async () => {
    await using identities = await open();
    const password = await addGateway(identities.records, corniche);
    const [[, stored] = []] = identities.records.entries("gateways");
    expect(stored).toMatchObject({ hash: expect.stringMatching(/^\$sha256\$[\w-]{43}$/) as string });
    expect(JSON.stringify(stored)).not.toContain(password);
  });

  test("a gateway that an older version added is known by its password, and by no other; removed it is unknown at once", async () => {
    await using identities = await open();
    const hash = await argon2("the old one", { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
    const { name, agency } = corniche;
    identities.records.transaction((records) => records.put("gateways", name, { agency, hash, created: 1 }));
    const authenticate = createAuthenticator(identities.records);
    for (let round = 0; round < 2; round++) {
      expect(await authenticate(name, bytes("the old one"))).toEqual(corniche);
      expect(await authenticate(name, bytes("another"))).toBeUndefined();
      expect(await authenticate(name, Buffer.of(0x63, 0xff, 0xfe))).toBeUndefined(); // no UTF-8
    }
    const storm = Array.from({ length: 40 }, () => authenticate(name, bytes("the old one")));
    expect((await Promise.all(storm)).every((answer) => answer?.name === name)).toBe(true);
    removeGateway(identities.records, name);
    expect(await authenticate(name, bytes("the old one"))).toBeUndefined();
  });

  test("names are unique over agencies, and bad ones are refused in words", async () => {
    await using identities = await open();
    await addGateway(identities.records, corniche);
    await expect(addGateway(identities.records, { ...corniche, agency: "water" })).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
      message: "there is a gateway corniche-1 already, of agency mobility",
    });
    for (const name of ["", "Corniche", "a/b", "a+", "-a", "a".repeat(64), "é"]) {
      await expect(addGateway(identities.records, { ...corniche, name })).rejects.toMatchObject({
        code: "CONFIG_INVALID",
        message: expect.stringContaining("lower-case letters") as string,
      });
    }
    expect(listGateways(identities.records)).toMatchObject([corniche]);
  });

  test("whatever is sent as a name is just unknown", async () => {
    await using identities = await open();
    const authenticate = createAuthenticator(identities.records);
    for (const name of ["", "\0", "__proto__", "a".repeat(60_000), "\ud800"]) {
      expect(await authenticate(name, bytes("x"))).toBeUndefined();
    }
  });

  test("an unknown name costs as much as a wrong password, and neither costs much", async () => {
    await using identities = await open();
    await addGateway(identities.records, corniche);
    const authenticate = createAuthenticator(identities.records);
    const time = async (name: string): Promise<number> => {
      const began = performance.now();
      for (let i = 0; i < 50; i++) await authenticate(name, bytes("wrong"));
      return performance.now() - began;
    };
    const rounds = { unknown: Infinity, wrong: Infinity };
    // Short ones: on a machine that does other things, too, some of them are not interrupted.
    for (let i = 0; i < 50; i++) {
      rounds.unknown = Math.min(rounds.unknown, await time("nobody"));
      rounds.wrong = Math.min(rounds.wrong, await time("corniche-1"));
    }
    const began = performance.now();
    await argon2("wrong", { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
    const one = performance.now() - began;
    expect(rounds.unknown).toBeGreaterThan(rounds.wrong / 3);
    expect(rounds.wrong).toBeGreaterThan(rounds.unknown / 3);
    expect(rounds.wrong / 50).toBeLessThan(one / 20);
  });

  test("a removed gateway is unknown at once, and a new one of the same name has another password", async () => {
    await using identities = await open();
    const password = await addGateway(identities.records, corniche);
    const authenticate = createAuthenticator(identities.records);
    await authenticate("corniche-1", bytes(password));
    removeGateway(identities.records, "corniche-1");
    expect(await authenticate("corniche-1", bytes(password))).toBeUndefined();
    expect(() => removeGateway(identities.records, "corniche-1")).toThrow("there is no gateway corniche-1");
    const other = await addGateway(identities.records, { ...corniche, agency: "water" });
    expect(await authenticate("corniche-1", bytes(password))).toBeUndefined();
    expect(await authenticate("corniche-1", bytes(other))).toEqual({ name: "corniche-1", agency: "water" });
  });

  test("a storm of reconnections is verified in turns, and everyone gets in", async () => {
    await using identities = await open();
    const password = await addGateway(identities.records, corniche);
    const authenticate = createAuthenticator(identities.records);
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => authenticate("corniche-1", bytes(password))),
    );
    expect(answers.every((answer) => answer?.name === "corniche-1")).toBe(true);
  });

  test("who watches hears of removed and changed gateways, not of new ones", async () => {
    await using identities = await open();
    await addGateway(identities.records, corniche);
    const gone: string[] = [];
    const abort = new AbortController();
    watchGateways(identities.records, (name) => gone.push(name), { signal: abort.signal, interval_ms: 20 });
    await addGateway(identities.records, { name: "corniche-2", agency: "mobility" });
    removeGateway(identities.records, "corniche-1");
    await poll(() => gone.length === 1);
    removeGateway(identities.records, "corniche-2");
    await addGateway(identities.records, { name: "corniche-2", agency: "mobility" });
    await poll(() => gone.length === 2);
    abort.abort();
    expect(gone).toEqual(["corniche-1", "corniche-2"]);
  });
});

describe("marsad gateway", () => {
  const program = fileURLToPath(new URL("gateway-program.ts", import.meta.url));
  let data = "";
  const folder = tempFolder("gateway-command");
  const marsad = async (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> => {
    try {
      return {
        code: 0,
        ...(await run(process.execPath, [program, ...args], { env: { ...process.env, MARSAD_DATA: data } })),
      };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, stdout, stderr };
    }
  };

  beforeAll(() => {
    data = join(folder.path, "data");
    return () => folder[Symbol.dispose]();
  });

  test("add, list and remove, while a broker uses the folder: removing closes the connection within a second", async () => {
    const added = await marsad("add", "corniche-1", "--agency", "mobility", "--json");
    expect(added).toMatchObject({ code: 0, stderr: "" });
    const { name, agency, password } = JSON.parse(added.stdout) as Record<string, string>;
    expect({ name, agency }).toEqual(corniche);

    await using records = await openRecordStore(join(data, "identities"));
    const abort = new AbortController();
    await using gateways = await openTestBroker({ authenticate: createAuthenticator(records) });
    watchGateways(records, (gone) => gateways.broker.disconnect(gone), { signal: abort.signal });
    const client = await gateways.client(corniche, { password: password ?? "" });
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));

    const second = await marsad("add", "pumps-1", "--agency", "water");
    expect(second.stdout).toMatch(/Gateway pumps-1 of agency water may connect[^]*password {2}\S{32} /);
    const listed = await marsad("list");
    expect(listed.stdout).toMatch(
      /GATEWAY +AGENCY +ADDED +CONFIGURATION\ncorniche-1 +mobility +.* own file\npumps-1 +water /,
    );

    expect((await marsad("remove", "corniche-1")).stdout).toBe("Gateway corniche-1 may no longer connect.\n");
    const removed = performance.now();
    await closed;
    expect(performance.now() - removed).toBeLessThan(1000);
    await expect(gateways.client(corniche, { password: password ?? "" })).rejects.toThrow(
      "Bad username or password",
    );
    const { gateways: left } = JSON.parse((await marsad("list", "--json")).stdout) as { gateways: unknown[] };
    expect(left).toMatchObject([{ name: "pumps-1", agency: "water" }]);
    abort.abort();
  });

  test("says what is wrong", async () => {
    expect((await marsad("add", "Corniche", "--agency", "mobility")).stderr).toContain(
      "lower-case letters, digits and hyphens",
    );
    expect((await marsad("add", "corniche")).stderr).toContain(
      "required option '--agency <agency>' not specified",
    );
    expect((await marsad("remove", "nobody")).stderr).toContain("there is no gateway nobody");
    expect((await marsad("list", "--data", join(data, "elsewhere"))).stderr).toContain(
      "there are no gateways in",
    );
  });
});

describe("configurations of gateways", () => {
  const settings = { window: 4, batch: { max_age_ms: 50, max_bytes: 8192 } };

  test("have a revision that is the same however the settings were written, and are kept once", async () => {
    await using identities = await open();
    const { records } = identities;
    expect(() => setGatewayConfig(records, "corniche-1", settings)).toThrow(
      expect.objectContaining({ code: "NOT_FOUND" }),
    );
    await addGateway(records, corniche);
    expect(gatewayConfig(records, "corniche-1")).toBeUndefined();
    const revision = setGatewayConfig(records, "corniche-1", settings);
    const { version } = records;
    const same = { batch: { max_bytes: 8192, max_age_ms: 50 }, window: 4 };
    expect(setGatewayConfig(records, "corniche-1", same)).toBe(revision);
    expect(records.version).toBe(version);
    expect(setGatewayConfig(records, "corniche-1", { ...same, window: 5 })).not.toBe(revision);
    expect(() => setGatewayConfig(records, "corniche-1", { filters: "x".repeat(200_000) })).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID" }),
    );
    expect(gatewayConfig(records, "corniche-1")).toMatchObject({ config: { window: 5 }, report: undefined });
  });

  test("are told to whoever watches, with what the gateway said, and go with the gateway", async () => {
    await using identities = await open();
    const { records } = identities;
    await addGateway(records, corniche);
    const seen: (string | undefined)[] = [];
    const ending = new AbortController();
    const onChange = ({ config }: GatewayConfig) => seen.push(JSON.stringify(config));
    watchGatewayConfigs(records, { onChange, onGone: (gateway) => seen.push(gateway) }, ending);
    const revision = setGatewayConfig(records, "corniche-1", { window: 4 });
    await poll(() => seen.length === 1);
    noteConfigReports(records, new Map([["corniche-1", { revision, result: "applied" }]]));
    const { version } = records;
    noteConfigReports(records, new Map([["corniche-1", { result: "applied", revision }]]));
    expect(records.version).toBe(version);
    setGatewayConfig(records, "corniche-1", null);
    await poll(() => seen.length === 2);
    expect(seen).toEqual(['{"window":4}', "null"]);
    expect(gatewayConfig(records, "corniche-1")).toMatchObject({ report: { revision, result: "applied" } });
    removeGateway(records, "corniche-1");
    expect(listGatewayConfigs(records)).toEqual([]);
    await poll(() => seen.at(-1) === "corniche-1");
    await addGateway(records, corniche);
    expect(gatewayConfig(records, "corniche-1")).toBeUndefined();
    ending.abort();
  });
});
