import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import type { SensorChanges, SensorDescription } from "#ingest/registry/operator.ts";
import { parseSettings } from "#ingest/registry/settings.ts";
import { MarsadError } from "#runtime/errors.ts";
import { AgencyName, GatewayName, SensorId } from "#telemetry/names.ts";
import { SensorAttributes } from "#telemetry/sensor.ts";
import { jsonOption } from "./client.ts";

/** One of `marsad sensor …`, with the options that all of them have. */
export function subcommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(
      new Option("--data <dir>", "the data folder of the platform").env("MARSAD_DATA").default("marsad-data"),
    )
    .addOption(
      new Option("--agency <agency>", "whose sensors; needed where several agencies use an id").argParser(
        parserOf(AgencyName),
      ),
    )
    .addOption(jsonOption());
}

export function sensorArgument(): Argument {
  return new Argument("<id>", "the sensor's id").argParser(parserOf(SensorId));
}

export function sensorsArgument(): Argument {
  const parse = parserOf(SensorId);
  return new Argument("<ids...>", "the sensors' ids").argParser((text, before: string[] | undefined) => [
    ...(before ?? []),
    parse(text),
  ]);
}

export function gatewayOption(description: string): Option {
  return new Option("--gateway <name>", description).argParser(parserOf(GatewayName));
}

export function pastTimeOption(description: string): Option {
  return new Option("--at <time>", `${description}; now, if not given`).argParser((text) => {
    const at = parseTime(text);
    if (at > Date.now())
      throw new InvalidArgumentError("That is in the future; say it once it has happened.");
    return at;
  });
}

const timeForm = "2026-11-20T08:00:00+03:00, or milliseconds since 1970";
const Time = z.iso.datetime({ offset: true });

/** @returns milliseconds since 1970. */
export function parseTime(text: string): number {
  let at = Number.NaN;
  if (/^\d{1,16}$/.test(text)) at = Number(text);
  else if (Time.safeParse(text).success) at = Date.parse(text);
  if (at >= 0 && at <= 8.64e15) return at;
  throw new InvalidArgumentError(`Write a time with its zone, such as ${timeForm}.`);
}

function parserOf(schema: z.ZodType<string>): (text: string) => string {
  return (text) => {
    const parsed = schema.safeParse(text);
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(
      `It must be ${parsed.error.issues.map(({ message }) => message).join("; ")}.`,
    );
  };
}

/** @throws MarsadError CONFIG_INVALID */
export function readSettings(settings: readonly string[]): SensorChanges {
  const parsed = parseSettings(settings);
  if (!parsed.ok) throw usage(parsed.error);
  return parsed.changes;
}

/** @throws MarsadError CONFIG_INVALID, also for an empty place. */
export function readDescription(settings: readonly string[]): SensorDescription {
  const { attributes, rollovers } = readSettings(settings);
  const given = Object.entries(attributes).filter(([, value]) => value !== null);
  const parsed = SensorAttributes.safeParse(Object.fromEntries(given));
  if (!parsed.success) throw usage("a sensor needs a place: --place P");
  return { attributes: parsed.data, rollovers };
}

/** The operator asked for what cannot be. */
export function usage(problem: string): MarsadError {
  return new MarsadError("CONFIG_INVALID", `${problem}.`);
}
