import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import type { z } from "zod";
import { type ConfigFile, readConfigFile } from "./config-file.ts";
import {
  type ConfigSchema,
  type KeyMeta,
  defaultOf,
  findUnknownKey,
  innermost,
  isBoolean,
  metaOf,
  nearest,
  schemaAt,
} from "./config-schema.ts";
import { MarsadError } from "./errors.ts";

export type { ConfigSchema, KeyMeta } from "./config-schema.ts";

/** Where a program's configuration comes from; flags win over the environment, the environment over the file. */
export interface ConfigSources {
  /** Path of a YAML file, from `--config`. */
  readonly file?: string | undefined;
  /** As the command line's parser gives them: `maxAgeDays` for `--max-age-days`; undefined = not given. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** Variables that the schema does not name are not looked at: they may be another program's. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One option of a command line, made from a key. */
export interface Flag {
  /** `--max-age-days <value>`, or `--behind-proxy` for a switch. */
  readonly flags: string;
  readonly description: string;
}

interface Given {
  readonly value: unknown;
  /** Where it stands, for people: `platform.yaml:3`, `MARSAD_MQTT`, `--mqtt`. */
  readonly where: (path: readonly PropertyKey[]) => string;
}

/**
 * Reads a program's configuration through its schema, whose keys are `snake_case`: a key of the file, `meta().env` in the
 * environment, and `--kebab-case` as a flag. A key of the file that the schema does not know refuses to start. Empty
 * variables count as not given.
 * @returns the schema's output, frozen.
 * @throws MarsadError CONFIG_INVALID, naming each wrong key, where it stands, what is wrong, and what would be right
 */
export async function resolveConfig<Schema extends ConfigSchema>(
  schema: Schema,
  { file, flags, env }: ConfigSources,
): Promise<Readonly<z.output<Schema>>> {
  const given = new Map<string, Given>();
  if (file !== undefined) {
    const configFile = await readConfigFile(file);
    refuseUnknownKeys(schema, configFile);
    for (const [key, value] of Object.entries(configFile.values))
      given.set(key, { value, where: configFile.where });
  }
  for (const [key, type] of Object.entries(schema.shape)) {
    const variable = await fromEnvironment(metaOf(type), env);
    if (variable) given.set(key, { value: fromText(type, variable.text), where: () => variable.name });
    const flag = flags[camelCase(key)];
    if (flag !== undefined)
      given.set(key, { value: fromText(type, flag), where: () => `--${kebabCase(key)}` });
  }
  const parsed = schema.safeParse(Object.fromEntries(Array.from(given, ([key, { value }]) => [key, value])));
  if (parsed.success) return deepFreeze(parsed.data);
  // Without the cause: zod's issues may hold a secret.
  throw invalid(parsed.error.issues.map((issue) => describe(issue, given, schema)).join("\n"));
}

/** The command-line options of a schema: every key whose value one word can say, secrets left out. */
export function flagsOf(schema: ConfigSchema): Flag[] {
  return Object.entries(schema.shape).flatMap(([key, type]) => {
    const meta = metaOf(type);
    const kind = isBoolean(type) ? "boolean" : innermost(type).type;
    if (meta.secret === true || notOneWord.has(kind)) return [];
    const initial = defaultOf(type);
    // A switch can only be turned on; what is on by itself is turned off by a word.
    const isSwitch = kind === "boolean" && initial !== true;
    const name = `--${kebabCase(key)}`;
    const notes = [
      meta.unit && `unit: ${meta.unit}`,
      initial === undefined || isSwitch ? undefined : `default: ${word(initial)}`,
      meta.env && `env: ${meta.env}`,
    ].filter((note) => note !== undefined && note !== "");
    const description = [meta.description, notes.length > 0 && `(${notes.join(", ")})`]
      .filter(Boolean)
      .join(" ");
    return [{ flags: isSwitch ? name : `${name} <value>`, description }];
  });
}

/** Lists and groups are for the file. */
const notOneWord: ReadonlySet<string> = new Set([
  "array",
  "object",
  "record",
  "union",
  "tuple",
  "map",
  "set",
]);

function word(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function fromEnvironment(
  { env: name }: KeyMeta,
  env: ConfigSources["env"],
): Promise<{ text: string; name: string } | undefined> {
  if (name === undefined) return undefined;
  const text = env[name];
  if (text !== undefined && text !== "") return { text, name };
  const path = env[`${name}_FILE`];
  if (path === undefined || path === "") return undefined;
  try {
    return { text: (await readFile(path, "utf8")).trim(), name: `${name}_FILE` };
  } catch (error) {
    throw invalid(`${name}_FILE: ${path} cannot be read: ${(error as Error).message}`, error);
  }
}

/** A word from outside as what the key wants: text where it takes text, else what YAML makes of it. */
function fromText(type: z.ZodType, value: unknown): unknown {
  if (typeof value !== "string") return value;
  // "false" is a text that `z.coerce.boolean()` would take for true.
  if (innermost(type).type !== "boolean" && type.safeParse(value).success) return value;
  try {
    const read: unknown = parse(value, { logLevel: "error" });
    return type.safeParse(read).success ? read : value;
  } catch {
    return value;
  }
}

function refuseUnknownKeys(schema: ConfigSchema, file: ConfigFile): void {
  const unknown = findUnknownKey(schema, file.values);
  if (unknown !== undefined) throw invalid(unknownKey(unknown.path, unknown.known, file.where(unknown.path)));
}

function unknownKey(path: readonly PropertyKey[], known: readonly string[], where: string): string {
  const meant = nearest(String(path.at(-1)), known);
  const keys = known.length > 0 ? `; the keys are ${known.join(", ")}` : "";
  return `${where}: ${textOf(path)}: there is no such key${meant === undefined ? keys : `; did you mean ${meant}?`}`;
}

function describe(issue: z.core.$ZodIssue, given: ReadonlyMap<string, Given>, schema: ConfigSchema): string {
  const { path } = issue;
  // A rule between keys.
  if (path.length === 0) return issue.message;
  const key = String(path[0]);
  const source = given.get(key);
  if (source === undefined) {
    const { env, description } = metaOf(schema.shape[key]);
    const ways = [`in the file as ${key}`, env && `in the environment as ${env}`, `as --${kebabCase(key)}`];
    return `${textOf(path)} is missing: ${description ?? issue.message} Give it ${ways.filter(Boolean).join(", or ")}.`;
  }
  if (issue.code === "unrecognized_keys") {
    const unknown = [...path, issue.keys[0]!];
    return unknownKey(unknown, [], source.where(unknown));
  }
  const { description, unit } = metaOf(schemaAt(schema, path));
  const about = [description, unit && `Unit: ${unit}.`].filter(Boolean).join(" ");
  return `${source.where(path)}: ${textOf(path)}: ${issue.message}${about === "" ? "" : ` (${about})`}`;
}

/** `inputs[0].listen` */
function textOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? String(part) : `${text}.${String(part)}`;
  }, "");
}

function invalid(message: string, cause?: unknown): MarsadError {
  return new MarsadError("CONFIG_INVALID", message, { cause });
}

function camelCase(key: string): string {
  return key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function kebabCase(key: string): string {
  return key.replaceAll("_", "-");
}

function deepFreeze<Value>(value: Value): Readonly<Value> {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value) && !ArrayBuffer.isView(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
