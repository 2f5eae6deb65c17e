import type { Measurement } from "../catalogue.ts";
import { counter, gauge, share, temperature } from "./fields.ts";

export const water: readonly Measurement[] = [
  {
    name: "water_flow",
    domain: "water",
    title: { en: "Water flow", ar: "تدفق المياه" },
    period_s: 60,
    seasons: ["day", "week"],
    bad: "both",
    fields: [
      gauge("flow", "L/s", "Flow", "التدفق", { plausible: [-500, 5000] }),
      counter("volume_total", "m3", "Total volume", "الحجم الكلي", "flow"),
      counter("reverse_total", "m3", "Total reverse volume", "الحجم العكسي الكلي"),
      gauge("pressure", "kPa", "Pressure", "الضغط", { plausible: [0, 1600] }),
    ],
  },
  {
    name: "water_tank",
    domain: "water",
    title: { en: "Water tank", ar: "خزان المياه" },
    period_s: 60,
    seasons: ["day"],
    bad: "down",
    fields: [
      gauge("level", "m", "Level", "المنسوب", { plausible: [0, 20] }),
      gauge("fill", "1", "Fill", "نسبة الامتلاء", { plausible: [0, 1], physical: share }),
      gauge("inflow", "L/s", "Inflow", "التدفق الداخل", { plausible: [0, 20_000] }),
      gauge("outflow", "L/s", "Outflow", "التدفق الخارج", { plausible: [0, 20_000] }),
    ],
  },
  {
    name: "water_quality",
    domain: "water",
    title: { en: "Water quality", ar: "جودة المياه" },
    period_s: 300,
    seasons: ["day"],
    bad: "both",
    fields: [
      gauge("ph", "[pH]", "pH", "الأس الهيدروجيني", { plausible: [4, 11] }),
      gauge("turbidity", "{NTU}", "Turbidity", "العكارة", { plausible: [0, 100] }),
      gauge("chlorine_free", "mg/L", "Free chlorine", "الكلور الحر", { plausible: [0, 5] }),
      gauge("conductivity", "uS/cm", "Conductivity", "الموصلية الكهربائية", { plausible: [0, 5000] }),
      gauge("temp", "Cel", "Water temperature", "درجة حرارة المياه", {
        plausible: [0, 60],
        physical: temperature,
      }),
    ],
  },
];
