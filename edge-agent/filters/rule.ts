import { z } from "zod";
import type { Catalogue } from "#telemetry/catalogue.ts";

/** Exact name, or a pattern in which `*` stands for any characters. */
const Pattern = z
  .string()
  .regex(/^[A-Za-z0-9._:*-]{1,64}$/, "a name, or a pattern in which * stands for anything");
const FieldName = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, "a field's name");

const Band = z.union([
  z.number().nonnegative(),
  z
    .string()
    .regex(/^\d+(\.\d+)?%$/, 'a number in the field\'s unit, or a share of the value last sent such as "1%"'),
]);

/** How a field is averaged; see docs/gateway-settings.md. */
export const fieldKinds = ["gauge", "delta", "counter", "state"] as const;
export type FieldKind = (typeof fieldKinds)[number];

const Average = z.strictObject({
  window_s: z
    .int()
    .min(1)
    .max(3600)
    .refine((seconds) => 86_400 % seconds === 0, "a number of seconds that divides a day, such as 60")
    .meta({ unit: "s", description: "Length of the windows, which begin at whole multiples of it (UTC)." }),
  kinds: z.record(FieldName, z.enum(fieldKinds)).default({}).meta({
    description: "By field, where the catalogue does not say it: gauge, delta, counter or state.",
  }),
});

/** One entry of `filters`; of several that name a line, the first holds. */
export const FilterRule = z
  .strictObject({
    measurement: Pattern.default("*").meta({ description: "A measurement, or a pattern with `*`." }),
    sensors: Pattern.default("*").meta({ description: "A sensor's id, or a pattern with `*`." }),
    duplicates: z.boolean().default(false).meta({
      description:
        "Leave out a reading that says nothing but what the last one of its series and time has said.",
    }),
    average: Average.optional(),
    dead_band: z.record(FieldName, Band).optional().meta({
      description:
        'By field: a change within it is not sent; in the field\'s unit, or in per cent of the value last sent ("1%"). Any change of a field that is not named is sent.',
    }),
    max_silence_s: z
      .number()
      .positive()
      .max(86_400)
      .optional()
      .meta({ unit: "s", description: "With `dead_band`: longest time between two readings that are sent." }),
  })
  .refine((rule) => rule.duplicates || rule.average !== undefined || rule.dead_band !== undefined, {
    error: "a filter that does nothing: give duplicates, average or dead_band",
  })
  .refine((rule) => (rule.dead_band === undefined) === (rule.max_silence_s === undefined), {
    path: ["max_silence_s"],
    error: "dead_band and max_silence_s go together",
  });
export type FilterRule = z.infer<typeof FilterRule>;

/**
 * Averages of measurements that nobody says how to average: they would not be made.
 * @returns what is wrong and how to mend it, by key.
 */
export function ruleProblems(rules: readonly FilterRule[], catalogue: Catalogue): string[] {
  return rules.flatMap(({ measurement, average }, at) =>
    average === undefined ||
    measurement.includes("*") ||
    catalogue.indexOf(measurement) !== undefined ||
    Object.keys(average.kinds).length > 0
      ? []
      : [
          `filters[${at}].average.kinds: the catalogue has no ${measurement}: say each field's kind, such as { occupied: gauge }`,
        ],
  );
}

/** Does `pattern` stand for the whole of `text`? */
export function matches(pattern: string, text: string): boolean {
  const [head = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === text;
  const tail = rest.pop()!;
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  let at = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > text.length - tail.length) return false;
    at = found + part.length;
  }
  return true;
}
