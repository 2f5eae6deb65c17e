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
      // A mean over the vehicles of the window: roll-ups weight it by `vehicles`.
      gauge("speed_avg", "km/h", "Mean speed", "متوسط السرعة", { plausible: [0, 220] }),
      gauge("occupancy", "1", "Occupancy", "نسبة الإشغال", { plausible: [0, 1], physical: share }),
      gauge("headway_avg", "s", "Mean headway", "متوسط الفاصل الزمني", { plausible: [0, 600] }),
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
      gauge("seconds", "s", "Travel time", "زمن الرحلة", { plausible: [5, 7200] }),
      delta("samples", "{vehicle}", "Vehicles timed", "المركبات المقيسة", { plausible: [0, 10_000] }),
    ],
  },
];
