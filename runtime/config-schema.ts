import type { z } from "zod";

/** A program's configuration: keys are `snake_case`, each with a `meta()` of `KeyMeta`. */
export type ConfigSchema = z.ZodObject<Record<string, z.ZodType>>;

/** What `meta()` says of a key, beside what zod knows. */
export interface KeyMeta {
  /** Environment variable; `…_FILE` names a file that holds the value, which is how secrets come. */
  readonly env?: string;
  readonly unit?: string;
  readonly description?: string;
  /** Never a flag, since arguments can be read by everybody on the machine, and never in a message. */
  readonly secret?: boolean;
}

export function metaOf(type: z.ZodType | undefined): KeyMeta {
  return (type?.meta() ?? {}) as KeyMeta;
}

/** What a key is when nobody says anything; undefined when somebody must. */
export function defaultOf(type: z.ZodType): unknown {
  const parsed = type.safeParse(undefined);
  return parsed.success ? parsed.data : undefined;
}

interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly shape?: Record<string, z.ZodType>;
  readonly element?: z.ZodType;
  readonly options?: readonly z.ZodType[];
}

/** Without defaults, optionality and transforms. */
export function innermost(type: z.ZodType): Definition {
  const { def } = type as unknown as { def: Definition };
  const inner = def.innerType ?? def.in;
  return inner === undefined ? def : innermost(inner);
}

/** Is it true or false, in some spelling? */
export function isBoolean(type: z.ZodType): boolean {
  const { type: kind, options = [] } = innermost(type);
  return kind === "boolean" || (kind === "union" && options.some(isBoolean));
}

/** A key inside `values` that its group does not have. */
export interface UnknownKey {
  readonly path: readonly (string | number)[];
  /** The group's own. */
  readonly known: readonly string[];
}

/** Also where a nested schema is not strict; inside unions only zod can tell. */
export function findUnknownKey(
  type: z.ZodType,
  value: unknown,
  path: readonly (string | number)[] = [],
): UnknownKey | undefined {
  const { shape, element } = innermost(type);
  if (shape !== undefined && isGroup(value)) {
    for (const [key, inner] of Object.entries(value)) {
      if (!Object.hasOwn(shape, key)) return { path: [...path, key], known: Object.keys(shape) };
      const unknown = findUnknownKey(shape[key]!, inner, [...path, key]);
      if (unknown !== undefined) return unknown;
    }
  }
  if (element !== undefined && Array.isArray(value)) {
    for (const [index, inner] of value.entries()) {
      const unknown = findUnknownKey(element, inner, [...path, index]);
      if (unknown !== undefined) return unknown;
    }
  }
  return undefined;
}

/** The schema of the key at `path`, as far as it can be told without knowing the values. */
export function schemaAt(type: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  const [part, ...rest] = path;
  if (part === undefined) return type;
  const { shape, element } = innermost(type);
  const inner = typeof part === "number" ? element : shape?.[String(part)];
  return inner === undefined ? undefined : schemaAt(inner, rest);
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The one of `known` that was probably meant. */
export function nearest(key: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(plain(key), plain(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, key.length / 3) ? best.candidate : undefined;
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[-_]/g, "");
}

/** Letters to insert, delete or replace (Levenshtein 1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, replaced));
    }
    row = next;
  }
  return row[b.length]!;
}
