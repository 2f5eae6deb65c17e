import type { BirthSensor } from "#telemetry/birth.ts";
import { plausibleRange } from "#telemetry/sensor.ts";
import type { Bus } from "../inputs/modbus/bus.ts";
import type { ModbusDevice, ModbusInput } from "../inputs/modbus/config.ts";
import { type DeviceField, type DevicePlan, decodeShown, rawOf } from "../inputs/modbus/device-plan.ts";
import type { Failure } from "../inputs/modbus/frame.ts";
import { openBus } from "../inputs/modbus/open-modbus-input.ts";
import { registersOf } from "../inputs/modbus/register-map.ts";
import type { InputPlans } from "../inputs/plans.ts";
import { failureHints, unreachableHints } from "./modbus-hints.ts";
import { betterOrders, isPlausible } from "./plausible.ts";
import type { CheckProblem, CheckedInput, CheckedValue } from "./report.ts";

export interface ModbusCheck {
  readonly input: ModbusInput;
  readonly name: string;
  readonly plans: InputPlans;
  readonly sensors: readonly BirthSensor[];
  readonly signal: AbortSignal;
}

/** Reads every device of a bus once, over a connection of its own: a device that shows rows shows the same one again to the agent. */
export async function checkModbus({
  input,
  name,
  plans,
  sensors,
  signal,
}: ModbusCheck): Promise<CheckedInput> {
  const opened = await openBus(input, signal);
  if (!opened.ok) {
    const problem = `no connection: ${opened.detail}`;
    return {
      values: [],
      problems: [{ input: name, problem, hints: unreachableHints(input, opened.detail) }],
      notes: [],
    };
  }
  let bus = opened.bus;
  const values: CheckedValue[] = [];
  const problems: CheckProblem[] = [];
  try {
    for (const device of input.devices) {
      if (signal.aborted) break;
      if (bus.lost) {
        const again = await openBus(input, signal);
        if (again.ok) bus = again.bus;
      }
      const plan = plans.devices.get(device.map)!;
      const answers = await readAll(bus, device, plan, input.timeout_ms);
      if (Array.isArray(answers)) {
        const sensor = sensors.find(({ id }) => id === device.sensor);
        values.push(...valuesOf(device, plan, answers, sensor));
      } else {
        const { failure } = answers;
        const hints = failureHints(input, device.unit, failure);
        if (failure.kind === "refused")
          hints.unshift(...(await refusedFields(bus, device, plan, input.timeout_ms)));
        problems.push({
          input: name,
          sensor: device.sensor,
          problem: `unit ${device.unit}: ${failure.detail}`,
          hints,
        });
      }
    }
  } finally {
    await bus[Symbol.asyncDispose]();
  }
  return { values, problems, notes: [] };
}

async function readAll(
  bus: Bus,
  { unit }: ModbusDevice,
  { requests, row }: DevicePlan,
  timeout: number,
): Promise<Buffer[] | { readonly failure: Failure }> {
  const answers: Buffer[] = [];
  for (const request of requests) {
    let answer = await bus.read(unit, request, timeout);
    const asksAgain = !answer.ok && (answer.failure.kind === "silent" || answer.failure.kind === "garbled");
    // A second request on this connection would tell a logger that its row had arrived: the agent would never see it.
    if (asksAgain && row === undefined) answer = await bus.read(unit, request, timeout);
    if (!answer.ok) return { failure: answer.failure };
    answers.push(answer.bytes);
  }
  return answers;
}

/** Which fields the device refuses when it is asked for each by itself. */
async function refusedFields(
  bus: Bus,
  { unit }: ModbusDevice,
  plan: DevicePlan,
  timeout: number,
): Promise<string[]> {
  if (plan.fields.length < 2) return [];
  const refused: string[] = [];
  for (const { field, register: at } of plan.fields) {
    const span = { table: at.table, register: at.register, count: registersOf[at.type] };
    const answer = await bus.read(unit, span, timeout);
    if (!answer.ok) refused.push(`${field.name} (${at.table} register ${at.register})`);
  }
  if (refused.length === 0) return ["each field by itself is read: write `gap: 0` in the register map"];
  return refused.length === plan.fields.length ? [] : [`only these are refused: ${refused.join(", ")}`];
}

function valuesOf(
  { sensor }: ModbusDevice,
  plan: DevicePlan,
  answers: readonly Buffer[],
  attributes: BirthSensor | undefined,
): CheckedValue[] {
  const shown = decodeShown(plan, answers);
  const common = { sensor, measurement: plan.measurement.name };
  const values = plan.fields.map((field, index): CheckedValue => {
    const name = field.field.name;
    const raw = rawBytes(field, answers);
    const unit = field.field.unit;
    const number = rawOf(field, answers);
    const value = shown.values[index]!;
    if (Number.isNaN(value))
      return { ...common, field: name, raw, value: undefined, unit, plausible: undefined };
    const range = plausibleRange(field.field, attributes);
    const plausible = isPlausible(value, number, field.register.type, range);
    const hint = plausible ? undefined : hintFor(field, answers, range);
    return { ...common, field: name, raw, value, unit, plausible, ...(hint === undefined ? {} : { hint }) };
  });
  if (plan.row !== undefined)
    values.unshift({
      ...common,
      field: "row",
      raw: shown.row,
      value: Number(`0x${shown.row}`),
      unit: undefined,
      plausible: undefined,
    });
  if (plan.time !== undefined) values.unshift({ ...common, ...timeValue(plan, shown.time, answers) });
  return values;
}

function hintFor(
  field: DeviceField,
  answers: readonly Buffer[],
  range: Parameters<typeof betterOrders>[2],
): string {
  const better = betterOrders(field, answers, range).map(
    ({ order, value }) => `with order: ${order} it would be ${value}`,
  );
  const orders = better.length > 0 ? better : ["no other byte order makes it plausible"];
  return `${orders.join(", ")}; else look at register, type, scale and unit`;
}

/** Readings further ahead are refused by the platform. */
const FUTURE = 5 * 60_000;
/** Older ones too, unless it is told otherwise. */
const PAST = 400 * 86_400_000;

function timeValue(
  plan: DevicePlan,
  time: number | undefined,
  answers: readonly Buffer[],
): Omit<CheckedValue, "sensor" | "measurement"> {
  const { located, type } = plan.time!;
  const from = 2 * located.at;
  const raw = answers[located.request]?.toString("hex", from, from + 2 * registersOf[type]);
  const age = time === undefined ? Number.NaN : Date.now() - time;
  const plausible = age >= -FUTURE && age <= PAST;
  const hint = plausible ? undefined : "the device's clock, or register, type, order and unit of `time`";
  const value = time === undefined ? undefined : new Date(time).toISOString();
  return { field: "time", raw, value, unit: undefined, plausible, ...(hint === undefined ? {} : { hint }) };
}

/** A field's registers as they came, or its bit. */
function rawBytes(field: DeviceField, answers: readonly Buffer[]): string | undefined {
  const { located, register } = field;
  if (register.table === "coil" || register.table === "discrete") return String(rawOf(field, answers));
  const from = 2 * located.at;
  return answers[located.request]?.toString("hex", from, from + 2 * registersOf[register.type]);
}
