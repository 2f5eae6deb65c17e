import { readFile } from "node:fs/promises";
import { LineCounter, isMap, isScalar, parse, parseDocument } from "yaml";
import type { z } from "zod";
import { MarsadError } from "./errors.ts";

/** Where a program's configuration comes from; flags win over the environment, the environment over the file. */
export interface ConfigSources {
  /** Path of a YAML file, from `--config`. */
  readonly file?: string | undefined;
  /** As the command line's parser gives them: `maxAgeDays` for `--max-age-days`; undefined = not given. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type ConfigSchema = z.ZodObject<Record<string, z.ZodType>>;

/** What `meta()` says of a key, beside what zod knows. */
export interface KeyMeta {
  /** Environment variable; `…_FILE` names a file that holds the value, which is how secrets come. */
  readonly env?: string;
  readonly unit?: string;
  readonly description?: string;
  /** Never a flag: arguments can be read by everybody on the machine. */
  readonly secret?: boolean;
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
  readonly from: string;
}

/**
 * Reads a program's configuration through its schema, whose keys are `snake_case`: a key of the file, `meta().env` in the environment, and
 * `--kebab-case` as a flag. A key that the schema does not know refuses to start.
 * @returns the schema's output, frozen.
 * @throws MarsadError CONFIG_INVALID, naming the key, where it stands, and what is wrong
 */
export async function resolveConfig<Schema extends ConfigSchema>(
  schema: Schema,
  { file, flags, env }: ConfigSources,
): Promise<Readonly<z.output<Schema>>> {
  const given = new Map<string, Given>();
  if (file !== undefined) {
    for (const [key, entry] of await readConfigFile(file)) {
      if (!(key in schema.shape)) throw unknownKey(`${entry.from}: ${key}`, schema);
      given.set(key, entry);
    }
  }
  for (const [key, type] of Object.entries(schema.shape)) {
    const inEnvironment = await fromEnvironment(metaOf(type), env);
    if (inEnvironment) given.set(key, { ...inEnvironment, value: fromText(type, inEnvironment.value) });
    const flag = flags[camelCase(key)];
    if (flag !== undefined) given.set(key, { value: fromText(type, flag), from: `--${kebabCase(key)}` });
  }
  const parsed = schema.safeParse(Object.fromEntries(Array.from(given, ([key, { value }]) => [key, value])));
  if (parsed.success) return deepFreeze(parsed.data);
  const problems = parsed.error.issues.map((issue) => describe(issue, given, schema));
  throw new MarsadError("CONFIG_INVALID", problems.join("\n"), { cause: parsed.error });
}

/** The command-line options of a schema: every key whose value one word can say, secrets left out. */
export function flagsOf(schema: ConfigSchema): Flag[] {
  return Object.entries(schema.shape).flatMap(([key, type]) => {
    const { description = "", unit, env, secret } = metaOf(type);
    if (secret === true || !isOneWord(type)) return [];
    const initial = defaultOf(type);
    const notes = [
      unit && `unit: ${unit}`,
      initial === undefined || initial === false ? undefined : `default: ${String(initial)}`,
      env && `env: ${env}`,
    ].filter((note) => note !== undefined && note !== "");
    const name = `--${kebabCase(key)}`;
    const text = notes.length > 0 ? `${description} (${notes.join(", ")})` : description;
    return [{ flags: isSwitch(type) ? name : `${name} <value>`, description: text }];
  });
}

async function readConfigFile(file: string): Promise<Map<string, Given>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw invalid(`${file} cannot be read: ${(error as Error).message}`, error);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [error] = document.errors;
  if (error) throw invalid(`${file}: ${error.message}`, error);
  if (document.contents === null) return new Map();
  if (!isMap(document.contents)) throw invalid(`${file}: it is a list of keys and values, "mqtt: 127.0.0.1:1883" for one`);
  const entries = new Map<string, Given>();
  try {
    const values = document.toJS() as Record<string, unknown>;
    for (const { key } of document.contents.items) {
      const name = String(isScalar(key) ? key.value : key);
      const at = isScalar(key) && key.range ? `:${lines.linePos(key.range[0]).line}` : "";
      entries.set(name, { value: values[name], from: `${file}${at}` });
    }
  } catch (error) {
    throw invalid(`${file}: ${(error as Error).message}`, error); // aliases that grow without end
  }
  return entries;
}

async function fromEnvironment(
  { env: name }: KeyMeta,
  env: ConfigSources["env"],
): Promise<{ value: string; from: string } | undefined> {
  if (name === undefined) return undefined;
  const value = env[name];
  if (value !== undefined && value !== "") return { value, from: name };
  const path = env[`${name}_FILE`];
  if (path === undefined || path === "") return undefined;
  try {
    return { value: (await readFile(path, "utf8")).trim(), from: `${name}_FILE` };
  } catch (error) {
    throw invalid(`${name}_FILE: ${path} cannot be read: ${(error as Error).message}`, error);
  }
}

/** A word from outside as what the key wants: text where it takes text, else what YAML makes of it. */
function fromText(type: z.ZodType, value: unknown): unknown {
  if (typeof value !== "string" || type.safeParse(value).success) return value;
  try {
    const read: unknown = parse(value);
    return type.safeParse(read).success ? read : value;
  } catch {
    return value;
  }
}

function describe(issue: z.core.$ZodIssue, given: ReadonlyMap<string, Given>, schema: ConfigSchema): string {
  const [key] = issue.path;
  const from = given.get(String(key))?.from;
  const path = issue.path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`),
    "",
  );
  const where = from === undefined ? path : `${from}: ${path}`;
  if (issue.code === "unrecognized_keys") {
    const keys = issue.keys.map((unknown) => (path === "" ? unknown : `${path}.${unknown}`)).join(", ");
    return `${from === undefined ? "" : `${from}: `}${keys}: there is no such key`;
  }
  if (from !== undefined) return `${where}: ${issue.message}`;
  const { env } = key === undefined ? {} : metaOf(schema.shape[String(key)]);
  return `${where}: ${issue.message} (give it in the file${env === undefined ? "" : `, as ${env}`} or as --${kebabCase(String(key))})`;
}

function unknownKey(where: string, schema: ConfigSchema): MarsadError {
  return invalid(`${where}: there is no such key; the keys are ${Object.keys(schema.shape).join(", ")}`);
}

function invalid(message: string, cause?: unknown): MarsadError {
  return new MarsadError("CONFIG_INVALID", message, { cause });
}

function metaOf(type: z.ZodType | undefined): KeyMeta {
  return (type?.meta() ?? {}) as KeyMeta;
}

/** Would a text, a number or a switch do? Lists and groups are for the file. */
function isOneWord(type: z.ZodType): boolean {
  return !["array", "object", "record", "union"].includes(innermost(type).type);
}

function isSwitch(type: z.ZodType): boolean {
  return innermost(type).type === "boolean";
}

function defaultOf(type: z.ZodType): unknown {
  const parsed = type.safeParse(undefined);
  return parsed.success ? parsed.data : undefined;
}

function innermost(type: z.ZodType): { readonly type: string } {
  const { def } = type as unknown as { def: { type: string; innerType?: z.ZodType; in?: z.ZodType } };
  const inner = def.innerType ?? def.in;
  return inner ? innermost(inner) : def;
}

function camelCase(key: string): string {
  return key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function kebabCase(key: string): string {
  return key.replaceAll("_", "-");
}

function deepFreeze<Value>(value: Value): Readonly<Value> {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
