import type { Catalogue, Measurement } from "#telemetry/catalogue.ts";
import { type FieldPlan, type Planned, planField, planMeasurement } from "../field-plan.ts";
import type { FieldValue, TopicMapping } from "./config.ts";
import { type JsonPath, parsePath } from "./json-path.ts";
import { type TopicPattern, parseTopicPattern } from "./topic-pattern.ts";

export interface MessageField extends FieldPlan {
  /** Undefined: the payload itself is the value. */
  readonly path: JsonPath | undefined;
  readonly words: FieldValue["values"];
}

/** How the messages of some topics become readings: a mapping, settled against the catalogue. */
export type TopicPlan = { readonly pattern: TopicPattern; readonly retained: boolean } & (
  | { readonly format: "lines" }
  | {
      readonly format: "json" | "number";
      readonly measurement: Measurement;
      /** With the topic's levels in braces: `cs-{device}`. */
      readonly sensor: string;
      readonly sensors: ReadonlyMap<string, string> | undefined;
      readonly fields: readonly MessageField[];
      readonly time: { readonly path: JsonPath; readonly unit: "ms" | "s" | "rfc3339" } | undefined;
    }
);

/** The problems begin with the key below the input: `topics[0].fields.temp.unit: …`. */
export function planTopics(
  mappings: readonly TopicMapping[],
  catalogue: Catalogue,
): Planned<readonly TopicPlan[]> {
  const plans: TopicPlan[] = [];
  const problems: string[] = [];
  for (const [at, mapping] of mappings.entries()) {
    const planned = planTopic(mapping, catalogue);
    if (planned.ok) plans.push(planned.plan);
    else problems.push(...planned.problems.map((problem) => `topics[${at}].${problem}`));
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, plan: plans };
}

function planTopic(mapping: TopicMapping, catalogue: Catalogue): Planned<TopicPlan> {
  const { format, retained, sensor = "", sensors, time } = mapping;
  const parsed = parseTopicPattern(mapping.topic);
  if (!parsed.ok) return { ok: false, problems: [`topic: ${parsed.problem}`] };
  const { pattern } = parsed;
  if (format === "lines") return { ok: true, plan: { format, pattern, retained } };

  const measurement = planMeasurement(mapping.measurement ?? "", catalogue);
  if (!measurement.ok) return measurement;
  const problems: string[] = [];
  const fields = Object.entries(mapping.fields ?? {}).flatMap(([name, settings]) => {
    const planned = planField(name, settings, measurement.plan);
    if (!planned.ok) {
      problems.push(...planned.problems);
      return [];
    }
    const path = settings.path === undefined ? undefined : parsePath(settings.path);
    return [{ ...planned.plan, path, words: settings.values }];
  });
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    plan: {
      format,
      pattern,
      retained,
      measurement: measurement.plan,
      sensor,
      sensors: sensors && new Map(Object.entries(sensors)),
      fields,
      time: time && { path: parsePath(time.path), unit: time.unit },
    },
  };
}
