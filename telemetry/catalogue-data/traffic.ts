import type { Measurement } from "../catalogue.ts";
import { delta, gauge, share } from "./fields.ts";

export const traffic: readonly Measurement[] = [
  {
    name: "traffic_flow",
    domain: "traffic",
    title: { en: "Traffic flow", ar: "تدفق المرور" },
    period_s: 60,
    seasons: ["day", "week"],
    bad: "both",
    fields: [
      delta("vehicles", "{vehicle}", "Vehicles", "المركبات", { plausible: [0, 600] }),
      gauge("speed_avg", "km/h", "Mean speed", "متوسط السرعة", {
        plausible: [0, 220],
        weighted_by: "vehicles",
      }),
      gauge("occupancy", "1", "Occupancy", "نسبة الإشغال", { plausible: [0, 1], physical: share }),
      gauge("headway_avg", "s", "Mean headway", "متوسط الفاصل الزمني", {
        plausible: [0, 600],
        weighted_by: "vehicles",
      }),
    ],
  },
  {
    name: "travel_time",
    domain: "traffic",
    title: { en: "Travel time", ar: "زمن الرحلة" },
    period_s: 300,
    seasons: ["day", "week"],
    bad: "up",
    fields: [
      gauge("seconds", "s", "Travel time", "زمن الرحلة", { plausible: [5, 7200], weighted_by: "samples" }),
      delta("samples", "{vehicle}", "Vehicles timed", "المركبات المقيسة", { plausible: [0, 10_000] }),
    ],
  },
];
