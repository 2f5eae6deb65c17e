import { Command, Option } from "commander";
import {
  addSensor,
  moveToGateway,
  override,
  replaceDevice,
  retire,
  verify,
} from "#ingest/registry/operator.ts";
import type { Registry, SensorChange } from "#ingest/registry/registry.ts";
import { attributeNames } from "#ingest/registry/settings.ts";
import type { SensorRecord, SensorRef } from "#ingest/registry/sensor-record.ts";
import { MarsadError } from "#runtime/errors.ts";
import {
  gatewayOption,
  parseTime,
  pastTimeOption,
  readDescription,
  readSettings,
  sensorArgument,
  sensorsArgument,
  subcommand,
  usage,
} from "./sensor-arguments.ts";
import { findGateway, findSensors, openSensors } from "./sensor-data.ts";
import { printChange, printSensors } from "./sensor-output.ts";

/** Options of every `marsad sensor` command. */
interface Common {
  readonly data: string;
  readonly agency?: string;
  readonly json: boolean;
}

/** `marsad sensor …`: what operators know of sensors, on the data folder, also while the platform runs. */
export function sensorCommand(): Command {
  return new Command("sensor")
    .description(
      "Register and describe sensors. Gateways announce theirs (births); what is said here wins over that. Works on the data " +
        "folder, also while the platform runs.",
    )
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(setCommand())
    .addCommand(verifyCommand())
    .addCommand(moveCommand())
    .addCommand(replaceCommand())
    .addCommand(retireCommand());
}

function addCommand(): Command {
  return subcommand("add", "Register a sensor that no gateway has announced.")
    .addArgument(sensorArgument())
    .argument("[settings...]", "further attributes as KEY=VALUE")
    .addOption(gatewayOption("the gateway whose readings of it are taken").makeOptionMandatory())
    .requiredOption("--place <place>", "municipality or district: code, name or alias")
    .option("--role <role>", "what its readings stand for: customer, feeder, dma_in, …")
    .addHelpText(
      "after",
      `
Its agency is the gateway's. A retired sensor comes back as another device: its counters start anew.
Attributes: ${attributeNames.join(", ")}; rollover.FIELD.

  marsad sensor add tf-012 --gateway corniche-1 --place "Al Dafna" --role detector lane=2`,
    )
    .action(async (sensor: string, settings: string[], options: Common & AddOptions) => {
      const role = options.role === undefined ? [] : [`role=${options.role}`];
      const description = readDescription([`place=${options.place}`, ...role, ...settings]);
      const owner = await findGateway(options.data, options.gateway, options.agency);
      await using registry = await openSensors(options.data);
      const ref = { agency: owner.agency, sensor };
      apply(registry, [ref], options, "added", (known) =>
        addSensor(known, owner, sensor, description, Date.now()),
      );
    });
}

interface AddOptions {
  readonly gateway: string;
  readonly place: string;
  readonly role?: string;
}

function listCommand(): Command {
  return subcommand("list", "Show sensors with what is known of them now.")
    .addOption(gatewayOption("only the sensors of this gateway"))
    .action(async (options: Common & { gateway?: string }) => {
      await using registry = await openSensors(options.data);
      const { gateway, agency } = options;
      const sensors = [...registry.records()].filter(
        (record) =>
          (gateway === undefined || record.gateway === gateway) &&
          (agency === undefined || record.agency === agency),
      );
      printSensors(sensors, options.json);
    });
}

function setCommand(): Command {
  return subcommand("set", "Decide attributes of a sensor, whatever its gateway says.")
    .addArgument(sensorArgument())
    .argument("<settings...>", "KEY=VALUE; an empty VALUE gives the word back to the gateway")
    .addOption(
      new Option(
        "--valid-from <time>",
        "from when on it is so; readings of earlier times keep what was",
      ).argParser(parseTime),
    )
    .addHelpText(
      "after",
      `
Without --valid-from it is so from now on. What was set for later times before is superseded.
Keys: ${attributeNames.join(", ")};
      rollover.FIELD: where the counter FIELD starts again from 0.

  marsad sensor set wm-7 role=customer capacity_m3=1200
  marsad sensor set wm-7 dma=north --valid-from 2026-11-01T00:00:00+03:00
  marsad sensor set cs-3 'limits={"cold_storage.temp":[2,8]}'
  marsad sensor set wm-7 rollover.volume_total=100000 role=`,
    )
    .action(async (sensor: string, settings: string[], options: Common & { validFrom?: number }) => {
      const changes = readSettings(settings);
      const validFrom = options.validFrom ?? Date.now();
      await using registry = await openSensors(options.data);
      const refs = findSensors(registry, [sensor], options.agency);
      apply(
        registry,
        refs,
        options,
        "set",
        existing((record) => override(record, changes, validFrom)),
      );
    });
}

function verifyCommand(): Command {
  return subcommand("verify", "Confirm that sensors are what they say: goals count verified sensors only.")
    .addArgument(sensorsArgument())
    .action(async (sensors: string[], options: Common) => {
      await using registry = await openSensors(options.data);
      const refs = findSensors(registry, sensors, options.agency);
      apply(registry, refs, options, "verified", existing(verify));
    });
}

function moveCommand(): Command {
  return subcommand("move", "A sensor stands elsewhere from now on, or speaks through another gateway.")
    .addArgument(sensorArgument())
    .option("--place <place>", "where it stands from now on")
    .addOption(gatewayOption("the gateway of the same agency whose readings of it are taken from now on"))
    .addHelpText(
      "after",
      `
Let the old gateway deliver what it still has (marsad account) before you move a sensor to another one: afterwards its
readings of this sensor are refused, and wait in the dead letters. The series goes on: the gateway is no part of it.
If another device took its place, say so with "marsad sensor replace".`,
    )
    .action(async (sensor: string, options: Common & { place?: string; gateway?: string }) => {
      const { place, gateway, data } = options;
      if (place === undefined && gateway === undefined)
        throw usage("say where to: --place P, --gateway G or both");
      const changes = readSettings(place === undefined ? [] : [`place=${place}`]);
      await using registry = await openSensors(data);
      const refs = findSensors(registry, [sensor], options.agency);
      const owner = gateway === undefined ? undefined : await findGateway(data, gateway, refs[0]?.agency);
      const now = Date.now();
      const move = (record: SensorRecord): SensorRecord =>
        override(owner ? moveToGateway(record, owner) : record, changes, now);
      apply(registry, refs, options, "moved", existing(move));
    });
}

function replaceCommand(): Command {
  return subcommand("replace", "Another device speaks under the same id: its counters start anew.")
    .addArgument(sensorArgument())
    .addOption(pastTimeOption("when the devices were swapped"))
    .addOption(gatewayOption("the gateway of the same agency that the new device is behind"))
    .action(async (sensor: string, options: Common & { at?: number; gateway?: string }) => {
      const { data, gateway, at = Date.now() } = options;
      await using registry = await openSensors(data);
      const refs = findSensors(registry, [sensor], options.agency);
      const owner = gateway === undefined ? undefined : await findGateway(data, gateway, refs[0]?.agency);
      const replace = (record: SensorRecord): SensorRecord =>
        replaceDevice(owner ? moveToGateway(record, owner) : record, at);
      apply(registry, refs, options, "replaced", existing(replace));
    });
}

function retireCommand(): Command {
  return subcommand("retire", "A sensor no longer exists: its history stays, further readings are refused.")
    .addArgument(sensorArgument())
    .addOption(pastTimeOption("when it ended"))
    .addHelpText(
      "after",
      `
Let its gateway deliver what it still has (marsad account) before: from now on all its readings are refused, also those of
earlier times, and wait in the dead letters. "marsad sensor add" brings the id back, as another device.`,
    )
    .action(async (sensor: string, options: Common & { at?: number }) => {
      const { at = Date.now() } = options;
      await using registry = await openSensors(options.data);
      const refs = findSensors(registry, [sensor], options.agency);
      apply(
        registry,
        refs,
        options,
        "retired",
        existing((record) => retire(record, at)),
      );
    });
}

/** For sensors that were found: they are never removed. */
function existing(make: (record: SensorRecord) => SensorRecord): SensorChange {
  return (record, { sensor }) => {
    if (!record) throw new MarsadError("NOT_FOUND", `Sensor ${sensor} is gone.`);
    return make(record);
  };
}

/** Changes sensors, all or none, and says what came of it. */
function apply(
  registry: Registry,
  refs: readonly SensorRef[],
  options: Common,
  done: string,
  make: SensorChange,
): void {
  const changed = registry.change(refs, make);
  const records = refs.flatMap(({ agency, sensor }) => registry.record(agency, sensor) ?? []);
  printChange(records, new Set(changed), done, options.json);
}
