import type { Measurement } from "../catalogue.ts";
import { gauge, notNegative, percent, temperature } from "./fields.ts";

export const platform: readonly Measurement[] = [
  {
    name: "gateway_health",
    domain: "platform",
    title: { en: "Gateway health", ar: "حالة البوابة" },
    period_s: 60,
    seasons: [],
    bad: "up",
    fields: [
      gauge("backlog", "{reading}", "Readings waiting", "القراءات المنتظرة", { plausible: notNegative }),
      gauge("resent", "{reading}", "Readings sent again", "القراءات المعاد إرسالها", {
        plausible: notNegative,
      }),
      gauge("clock_skew", "s", "Clock skew", "انحراف الساعة", { plausible: [-300, 300] }),
      gauge("disk_free", "%", "Free disk", "المساحة الحرة", { plausible: [0, 100], physical: percent }),
      gauge("temp", "Cel", "Temperature", "درجة الحرارة", { plausible: [-20, 90], physical: temperature }),
      gauge("silent_devices", "{device}", "Silent devices", "الأجهزة الصامتة", { plausible: notNegative }),
    ],
  },
];
