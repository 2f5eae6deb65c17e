import type { DynamicConfigValue, Threshold, ValueMapping } from "@grafana/grafana-foundation-sdk/dashboard";
import { MappingType, ThresholdsMode } from "@grafana/grafana-foundation-sdk/dashboard";
import { places } from "#telemetry/places.ts";
import { alertStates, severities, verdicts } from "#telemetry/results.ts";
import { type Language, type Text, say } from "./language.ts";

/** Few colours, and each says one thing: these three judge, everything else is drawn in calm tones. */
export const good = "green";
export const watch = "orange";
export const bad = "red";
export const quiet = "text";
/** Lines that are only themselves. */
export const calm = { blue: "#6E9FD6", teal: "#6FB3A8", sand: "#C9A66B", violet: "#A99CD0", grey: "#8E9BAE" };

/** A municipality has the same tone on every board. */
const tones = ["#6E9FD6", "#6FB3A8", "#C9A66B", "#A99CD0", "#7FB8D8", "#A9B97C", "#C48F9F", "#8E9BAE"];

/** From `from` on, that colour; the first step has no `from`. */
export type Limit = readonly [from: number | null, color: string];

export function steps(limits: readonly Limit[]): Threshold[] {
  return limits.map(([value, color]) => ({ value, color }));
}

export function thresholds(limits: readonly Limit[]): DynamicConfigValue {
  return { id: "thresholds", value: { mode: ThresholdsMode.Absolute, steps: steps(limits) } };
}

/** Bounds of good operation: red outside, where there is a bound. */
export function outside([low, high]: readonly [number | null, number | null]): Limit[] {
  const limits: Limit[] =
    low === null
      ? [[null, good]]
      : [
          [null, bad],
          [low, good],
        ];
  return high === null ? limits : [...limits, [high, bad]];
}

/** Values that Grafana shows as words: `{ 2: { text: at risk, color } }`. */
export interface Words {
  readonly [value: string]: { readonly text: Text; readonly color?: string };
}

export function mapping(words: Words, language: Language): ValueMapping[] {
  const options = Object.entries(words).map(([value, { text, color }], index) => [
    value,
    { index, text: say(text, language), ...(color !== undefined && { color }) },
  ]);
  return [{ type: MappingType.ValueToText, options: Object.fromEntries(options) }];
}

function numbered<T extends string>(
  names: readonly T[],
  words: Readonly<Record<T, { text: Text; color: string }>>,
): Words {
  return Object.fromEntries(names.map((name, code) => [String(code), words[name]]));
}

/** `kpi.verdict_code` */
export const verdictWords = numbered(verdicts, {
  "insufficient data": { text: { en: "Insufficient data", ar: "بيانات غير كافية" }, color: calm.grey },
  "on track": { text: { en: "On track", ar: "على المسار" }, color: good },
  "at risk": { text: { en: "At risk", ar: "معرّض للخطر" }, color: watch },
  "off track": { text: { en: "Off track", ar: "خارج المسار" }, color: bad },
});

/** `alert.severity_code` */
export const severityWords = numbered(severities, {
  info: { text: { en: "Info", ar: "للعلم" }, color: calm.grey },
  minor: { text: { en: "Minor", ar: "بسيط" }, color: calm.blue },
  major: { text: { en: "Major", ar: "كبير" }, color: watch },
  critical: { text: { en: "Critical", ar: "حرج" }, color: bad },
});

/** `alert.state_code` */
export const alertStateWords = numbered(alertStates, {
  open: { text: { en: "Open", ar: "مفتوح" }, color: watch },
  acknowledged: { text: { en: "Acknowledged", ar: "تم الإقرار به" }, color: calm.blue },
  cleared: { text: { en: "Cleared", ar: "منتهٍ" }, color: good },
});

/** Places by their codes, as tags have them. */
export const placeWords: Words = Object.fromEntries(
  places.all.map(({ code, name }) => [code, { text: name }]),
);

export const domainWords: Words = {
  traffic: { text: { en: "Traffic", ar: "المرور" } },
  water: { text: { en: "Water", ar: "المياه" } },
  energy: { text: { en: "Energy", ar: "الطاقة" } },
  food: { text: { en: "Food", ar: "الغذاء" } },
  environment: { text: { en: "Environment", ar: "البيئة" } },
  platform: { text: { en: "Platform", ar: "المنصة" } },
};

/** What a series that is named by a municipality's code is called, and its tone. */
export function municipalitySeries(
  language: Language,
): readonly { readonly name: string; readonly properties: DynamicConfigValue[] }[] {
  return places.city.municipalities.map(({ code, name }, i) => ({
    name: code,
    properties: [
      { id: "displayName", value: say(name, language) },
      { id: "color", value: { mode: "fixed", fixedColor: tones[i % tones.length] } },
    ],
  }));
}
