import type { Measurement } from "../catalogue.ts";
import { anyNumber, counter, gauge, temperature } from "./fields.ts";

export const energy: readonly Measurement[] = [
  {
    name: "energy_meter",
    domain: "energy",
    title: { en: "Electricity meter", ar: "عداد الكهرباء" },
    period_s: 60,
    seasons: ["day", "week"],
    bad: "both",
    fields: [
      gauge("power", "kW", "Power", "القدرة", { plausible: anyNumber }),
      counter("import_total", "kW.h", "Total energy imported", "إجمالي الطاقة المستوردة", "power"),
      counter("export_total", "kW.h", "Total energy exported", "إجمالي الطاقة المصدرة"),
      {
        ...gauge("voltage", "V", "Voltage", "الجهد", { plausible: anyNumber }),
        plausible_around: { attribute: "nominal_v", share: 0.15 },
      },
      gauge("current", "A", "Current", "التيار", { plausible: anyNumber }),
      gauge("pf", "1", "Power factor", "معامل القدرة", { plausible: [-1, 1], physical: [-1, 1] }),
      gauge("frequency", "Hz", "Frequency", "التردد", { plausible: [45, 55] }),
    ],
  },
  {
    name: "solar",
    domain: "energy",
    title: { en: "Solar generation", ar: "التوليد الشمسي" },
    period_s: 60,
    seasons: ["day"],
    bad: "down",
    fields: [
      gauge("power", "kW", "Power", "القدرة", { plausible: anyNumber }),
      counter("energy_total", "kW.h", "Total energy generated", "إجمالي الطاقة المولدة", "power"),
      gauge("irradiance", "W/m2", "Irradiance", "الإشعاع الشمسي", { plausible: [0, 1400] }),
      gauge("panel_temp", "Cel", "Panel temperature", "درجة حرارة اللوح", {
        plausible: [-10, 110],
        physical: temperature,
      }),
    ],
  },
];
