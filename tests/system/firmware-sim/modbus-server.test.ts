import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { registerMapOf } from "#firmware-sim/modbus/device-maps.ts";
import { LoggerUnit } from "#firmware-sim/modbus/logger-unit.ts";
import { RowMemory } from "#firmware-sim/modbus/row-memory.ts";
import { openModbusServer, type ModbusServer } from "#firmware-sim/modbus/server.ts";
import { openLog } from "#runtime/log.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { ModbusMaster } from "../../support/modbus-master.ts";

const log = openLog({ name: "test", level: "silent" });
const { map } = registerMapOf("water-tank")!;
const fields = Object.keys(map.fields);
const decimals = { level: 3, fill: 4, inflow: 2, outflow: 2 };
const start = Date.UTC(2026, 6, 5);

/** A tank whose rows differ in their levels: 1.001 m, 1.002 m, … */
function tank(rows: number): LoggerUnit {
  const unit = new LoggerUnit(map, fields, new RowMemory(1000));
  for (let i = 1; i <= rows; i += 1)
    unit.record(start + 10_000 * i, Float64Array.of(1 + i / 1000, 0.5, 10, -3.25));
  return unit;
}

function serve(units: Readonly<Record<number, LoggerUnit>>, isReady = () => true): Promise<ModbusServer> {
  const byId = new Map(Object.entries(units).map(([id, unit]) => [Number(id), unit]));
  return openModbusServer({ host: "127.0.0.1", port: 0 }, byId, { log, isReady });
}

test("many devices answer behind one port, each with its own rows, one after the other", async () => {
  await using server = await serve({ 1: tank(3), 247: tank(1) });
  using master = await ModbusMaster.connect(server.address);
  const rows = [];
  for (const unit of [1, 247, 1, 247, 1, 1]) rows.push(await master.row(unit, map, decimals));
  expect(rows.map(({ row, fields }) => [row, fields["level"]])).toEqual([
    [1, 1.001],
    [1, 1.001],
    [2, 1.002],
    [1, 1.001],
    [3, 1.003],
    [3, 1.003],
  ]);
  expect(rows[4]).toEqual({
    row: 3,
    time: start + 30_000,
    fields: { level: 1.003, fill: 0.5, inflow: 10, outflow: -3.25 },
  });
});

test("an answer that a cut took along is shown again on the next connection", async () => {
  await using server = await serve({ 1: tank(4) });
  {
    using master = await ModbusMaster.connect(server.address);
    expect((await master.row(1, map)).row).toBe(1);
    expect((await master.row(1, map)).row).toBe(2);
  }
  using master = await ModbusMaster.connect(server.address);
  expect((await master.row(1, map)).row).toBe(2);
  expect((await master.row(1, map)).row).toBe(3);
});

test("who reads a part without the row's number moves nothing on", async () => {
  await using server = await serve({ 1: tank(2) });
  using master = await ModbusMaster.connect(server.address);
  for (let i = 0; i < 3; i += 1) expect((await master.registers(1, 10, 1)).readInt16BE(0)).toBe(1001);
  expect((await master.row(1, map)).row).toBe(1);
  expect((await master.registers(1, 10, 1)).readInt16BE(0)).toBe(1001);
  expect((await master.row(1, map)).row).toBe(2);
  expect((await master.registers(1, 10, 1)).readInt16BE(0)).toBe(1002);
});

test("what a device does not have is refused with Modbus's own codes", async () => {
  await using server = await serve({ 1: tank(1), 2: tank(0) });
  using master = await ModbusMaster.connect(server.address);
  await expect(master.registers(3, 0, 6)).rejects.toMatchObject({ modbusCode: 11 });
  await expect(master.registers(2, 0, 6)).rejects.toMatchObject({ modbusCode: 6 });
  await expect(master.registers(1, 10, 7)).rejects.toMatchObject({ modbusCode: 2 });
  await expect(master.registers(1, 0, 0)).rejects.toMatchObject({ modbusCode: 3 });
  await expect(master.registers(1, 0, 126)).rejects.toMatchObject({ modbusCode: 3 });
  await expect(master.as(1).readInputRegisters(0, 2)).rejects.toMatchObject({ modbusCode: 1 });
  await expect(master.as(1).writeRegister(10, 5)).rejects.toMatchObject({ modbusCode: 1 });
  expect((await master.row(1, map)).row).toBe(1);
});

/** For the row's number alone. */
function request(transaction: number, unit: number): Buffer {
  return Buffer.from([0, transaction, 0, 0, 0, 6, unit, 3, 0, 4, 0, 2]);
}

test("requests in pieces and requests in one packet are answered in order; what is no Modbus is hung up on", async () => {
  await using server = await serve({ 1: tank(5), 2: tank(5) });
  const socket = connect(server.address.port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  await once(socket, "connect");
  for (const byte of request(1, 1)) {
    socket.write(Buffer.of(byte));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const bytes = (): Buffer => Buffer.concat(chunks);
  await expect.poll(() => bytes().length).toBe(13);
  // The two for device 2 were sent together: the second proves nothing.
  socket.write(Buffer.concat([request(2, 1), request(3, 2), request(4, 2)]));
  await expect.poll(() => bytes().length).toBe(4 * 13);
  const answers = [0, 1, 2, 3].map((i) => bytes().subarray(13 * i, 13 * (i + 1)));
  expect(answers.map((answer) => [answer[1], answer[6], answer.readUInt32BE(9)])).toEqual([
    [1, 1, 1],
    [2, 1, 2],
    [3, 2, 1],
    [4, 2, 1],
  ]);
  const closed = once(socket, "close");
  socket.write("GET / HTTP/1.1\r\n\r\n");
  await closed;
  using master = await ModbusMaster.connect(server.address);
  expect((await master.row(1, map)).row).toBe(2);
});

test("a master that takes no answers is not heard on, and the others are", async () => {
  await using server = await serve({ 1: tank(1), 2: tank(1) });
  const deaf = connect(server.address.port, "127.0.0.1");
  deaf.pause();
  await once(deaf, "connect");
  const many = Buffer.concat(Array.from({ length: 5000 }, () => request(1, 1)));
  // Until the kernel's buffers of both sides are full, and nothing more is taken.
  let taken = 0;
  while (deaf.write(many) || (await settles(deaf))) taken += 1;
  expect(taken).toBeLessThan(2000);
  using master = await ModbusMaster.connect(server.address);
  expect((await master.row(2, map)).row).toBe(1);
  deaf.destroy();
});

/** Does the socket take what was written within a while? */
async function settles(socket: ReturnType<typeof connect>): Promise<boolean> {
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), 500));
  return await Promise.race([once(socket, "drain").then(() => true), late]);
}

test("while its devices have nothing to show, masters are sent away", async () => {
  let ready = false;
  await using server = await serve({ 1: tank(1) }, () => ready);
  const early = connect(server.address.port, "127.0.0.1");
  early.on("error", () => undefined);
  await once(early, "close");
  ready = true;
  using master = await ModbusMaster.connect(server.address);
  expect((await master.row(1, map)).row).toBe(1);
});

test("an address that is taken is refused by name", async () => {
  await using server = await serve({});
  const units = new Map();
  await expect(openModbusServer(server.address, units, { log, isReady: () => true })).rejects.toMatchObject({
    code: "ADDRESS_IN_USE",
    message: expect.stringContaining(String(server.address.port)),
  });
});

const pymodbus = await requireDebian("python3-pymodbus");

test("pymodbus reads the same values", async ({ skip }) => {
  skip(!pymodbus, whySkipped("python3-pymodbus"));
  await using server = await serve({ 9: tank(2) });
  const script = `
import json, struct, sys
from pymodbus.client import ModbusTcpClient
client = ModbusTcpClient("127.0.0.1", port=${server.address.port})
client.connect()
rows = []
for _ in range(3):
    r = client.read_holding_registers(0, 16, slave=9).registers
    word = lambda at, n: b"".join(struct.pack(">H", x) for x in r[at:at + n])
    swapped = lambda at: word(at + 1, 1) + word(at, 1)
    rows.append([struct.unpack(">Q", word(0, 4))[0], struct.unpack(">I", word(4, 2))[0],
      struct.unpack(">h", word(10, 1))[0], struct.unpack(">H", word(11, 1))[0],
      struct.unpack(">i", swapped(12))[0], struct.unpack(">i", swapped(14))[0]])
print(json.dumps({"rows": rows, "refused": client.read_coils(0, 1, slave=9).exception_code}))
`;
  const { stdout } = await promisify(execFile)("/usr/bin/python3", ["-c", script]);
  expect(JSON.parse(stdout)).toEqual({
    rows: [
      [start + 10_000, 1, 1001, 5000, 1000, -325],
      [start + 20_000, 2, 1002, 5000, 1000, -325],
      [start + 20_000, 2, 1002, 5000, 1000, -325],
    ],
    refused: 1,
  });
});
