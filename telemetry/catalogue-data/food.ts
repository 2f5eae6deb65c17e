import type { Measurement } from "../catalogue.ts";
import { counter, gauge, notNegative, percent, state, temperature } from "./fields.ts";

export const food: readonly Measurement[] = [
  {
    name: "cold_storage",
    domain: "food",
    title: { en: "Cold storage", ar: "التخزين المبرد" },
    period_s: 60,
    seasons: ["day"],
    bad: "up",
    fields: [
      gauge("temp", "Cel", "Temperature", "درجة الحرارة", { plausible: [-40, 40], physical: temperature }),
      gauge("humidity", "%", "Humidity", "الرطوبة", { plausible: [0, 100], physical: percent }),
      state("door_open", "Door open", "الباب مفتوح"),
      state("compressor_on", "Compressor on", "الضاغط يعمل"),
    ],
  },
  {
    name: "food_stock",
    domain: "food",
    title: { en: "Food stock", ar: "المخزون الغذائي" },
    period_s: 3600,
    seasons: ["week"],
    bad: "down",
    fields: [
      gauge("stock", "t", "Stock", "المخزون", { plausible: notNegative }),
      counter("intake_local_total", "t", "Total local intake", "إجمالي الوارد المحلي"),
      counter("intake_import_total", "t", "Total imported intake", "إجمالي الوارد المستورد"),
      counter("transfer_in_total", "t", "Total transferred in", "إجمالي المنقول إلى المخزن"),
      counter("dispatch_total", "t", "Total dispatched", "إجمالي المنصرف"),
    ],
  },
];
