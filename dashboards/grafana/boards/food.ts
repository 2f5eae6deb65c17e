import { type Board, sensorVariable } from "../board.ts";
import { coldest, frozen } from "../limits.ts";
import { bars, lines, numbers, ofTheCell, rows } from "../panels.ts";
import { chosen, here, overRange, overTime, rolledUp, unitOf, rollup } from "../queries.ts";
import { bad, calm, good, placeWords, watch } from "../style.ts";
import { share } from "../units.ts";
import { commodityNames, commodityWords } from "./asked.ts";

const cold = "cold_storage";
const stock = "food_stock";
const sensors = [here, chosen("sensor")];
const frozenOnly = `"commodity" =~ /^(${frozen.join("|")})$/`;
const chilledOnly = `"commodity" !~ /^(${frozen.join("|")})$/`;

/** Stores whose last temperature is above the limit. */
function tooWarm(which: string, above: number): string {
  return `SELECT count("temp") AS "stores" FROM (SELECT last(${rolledUp(cold, "temp", "last")}) AS "temp" FROM ${rollup(cold)} WHERE ${["$timeFilter", ...sensors, which].join(" AND ")} GROUP BY "agency", "sensor") WHERE "temp" > ${above}`;
}

const temperatures = `max(${rolledUp(cold, "temp", "max")}) AS "warmest", mean(${rolledUp(cold, "temp", "mean")}) AS "mean"`;
const temperatureNames = {
  warmest: { title: { en: "Warmest", ar: "الأدفأ" }, color: calm.sand },
  mean: { title: { en: "Mean", ar: "المتوسط" }, color: calm.blue },
};

export const food: Board = {
  name: "food",
  title: { en: "Food", ar: "الغذاء" },
  about: {
    en: "For food security and its inspectors: which stores are losing their cold, how much of each commodity there is, how much of it is grown at home. Call the store whose temperature rises with its compressor on; send an inspector where a door stands open.",
    ar: "للأمن الغذائي ومفتشيه: أي المخازن يفقد برودته، وكم يوجد من كل سلعة، وكم منها محلي. يُتصل بالمخزن الذي ترتفع حرارته وضاغطه يعمل، ويُرسل مفتش حيث يبقى الباب مفتوحاً.",
  },
  time: { from: "now-7d", to: "now" },
  refresh: "1m",
  variables: ["place", sensorVariable([cold, stock])],
  alertsOf: ["food"],
  panels: [
    numbers({
      id: 1,
      at: [0, 0, 6, 4],
      title: { en: "Chilled stores too warm", ar: "مخازن مبردة دافئة" },
      about: { en: "Last temperature above 8 °C.", ar: "آخر درجة حرارة فوق ٨ درجات مئوية." },
      unit: "1",
      counts: true,
      limits: [
        [null, good],
        [1, bad],
      ],
      queries: [{ influxql: tooWarm(chilledOnly, coldest.chilled), as: "time_series" }],
    }),
    numbers({
      id: 2,
      at: [6, 0, 6, 4],
      title: { en: "Frozen stores too warm", ar: "مخازن مجمدة دافئة" },
      about: {
        en: "Fish and meat: last temperature above -15 °C.",
        ar: "الأسماك واللحوم: آخر درجة حرارة فوق ١٥ درجة مئوية تحت الصفر.",
      },
      unit: "1",
      counts: true,
      limits: [
        [null, good],
        [1, bad],
      ],
      queries: [{ influxql: tooWarm(frozenOnly, coldest.frozen), as: "time_series" }],
    }),
    numbers({
      id: 3,
      at: [12, 0, 6, 4],
      title: { en: "Doors open", ar: "الأبواب المفتوحة" },
      about: {
        en: "Share of time that a door stands open, mean of the stores.",
        ar: "نسبة الزمن الذي يبقى فيه الباب مفتوحاً، متوسط المخازن.",
      },
      unit: unitOf("cold_storage", "door_open"),
      decimals: 1,
      curve: true,
      limits: [
        [null, good],
        [0.1, watch],
        [0.25, bad],
      ],
      queries: [
        {
          influxql: overTime({
            measurement: cold,
            select: `mean(${rolledUp(cold, "door_open", "mean")}) AS "open"`,
            where: sensors,
          }),
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 4,
      at: [18, 0, 6, 4],
      title: { en: "Compressors on", ar: "الضواغط العاملة" },
      about: {
        en: "Share of time that compressors run. Near 100 % they can no longer keep up with the heat.",
        ar: "نسبة زمن عمل الضواغط. قرب ١٠٠٪ لا تعود قادرة على مجاراة الحر.",
      },
      unit: unitOf("cold_storage", "compressor_on"),
      decimals: 0,
      curve: true,
      limits: [
        [null, good],
        [0.8, watch],
        [0.95, bad],
      ],
      queries: [
        {
          influxql: overTime({
            measurement: cold,
            select: `mean(${rolledUp(cold, "compressor_on", "mean")}) AS "on"`,
            where: sensors,
          }),
          as: "time_series",
        },
      ],
    }),
    lines({
      id: 5,
      at: [0, 4, 12, 7],
      title: { en: "Chilled stores", ar: "المخازن المبردة" },
      about: {
        en: "Above the dashed line food spoils. A short peak is a defrost or a delivery; a slow rise is a failing compressor.",
        ar: "فوق الخط المتقطع يفسد الغذاء. القمة القصيرة إذابة أو توريد؛ والارتفاع البطيء ضاغط يتعطل.",
      },
      unit: unitOf("cold_storage", "temp"),
      decimals: 1,
      limits: [
        [null, good],
        [coldest.chilled, bad],
      ],
      showLimits: true,
      names: temperatureNames,
      queries: [
        {
          influxql: overTime({ measurement: cold, select: temperatures, where: [...sensors, chilledOnly] }),
          as: "time_series",
          alias: "$col",
        },
      ],
    }),
    lines({
      id: 6,
      at: [12, 4, 12, 7],
      title: { en: "Frozen stores", ar: "المخازن المجمدة" },
      about: {
        en: "Fish and meat. Above the dashed line they thaw.",
        ar: "الأسماك واللحوم. فوق الخط المتقطع تذوب.",
      },
      unit: unitOf("cold_storage", "temp"),
      decimals: 1,
      limits: [
        [null, good],
        [coldest.frozen, bad],
      ],
      showLimits: true,
      names: temperatureNames,
      queries: [
        {
          influxql: overTime({ measurement: cold, select: temperatures, where: [...sensors, frozenOnly] }),
          as: "time_series",
          alias: "$col",
        },
      ],
    }),
    rows({
      id: 7,
      at: [0, 11, 24, 9],
      title: { en: "Cold stores", ar: "مخازن التبريد" },
      about: {
        en: "Over the shown time, the longest open doors first. Compare temperature with compressor: warm and on is a fault, warm and off is a power cut or a switch.",
        ar: "خلال المدة المعروضة، الأبواب الأطول فتحاً أولاً. تُقارن الحرارة بالضاغط: دافئ ويعمل يعني عطلاً، ودافئ ومتوقف يعني انقطاعاً أو إيقافاً.",
      },
      columns: [
        {
          field: "district",
          title: { en: "District", ar: "المنطقة" },
          words: placeWords,
          link: {
            title: { en: "This district", ar: "هذه المنطقة" },
            board: "food",
            query: ofTheCell("district"),
          },
        },
        { field: "site", title: { en: "Site", ar: "الموقع" } },
        { field: "commodity", title: { en: "Commodity", ar: "السلعة" }, words: commodityWords },
        {
          field: "temp",
          title: { en: "Last temperature", ar: "آخر درجة حرارة" },
          unit: unitOf("cold_storage", "temp"),
          decimals: 1,
        },
        {
          field: "warmest",
          title: { en: "Warmest", ar: "الأدفأ" },
          unit: unitOf("cold_storage", "temp"),
          decimals: 1,
        },
        {
          field: "open",
          title: { en: "Door open", ar: "الباب مفتوح" },
          unit: unitOf("cold_storage", "door_open"),
          decimals: 1,
          limits: [
            [null, good],
            [0.1, watch],
            [0.25, bad],
          ],
          colored: true,
        },
        {
          field: "on",
          title: { en: "Compressor on", ar: "الضاغط يعمل" },
          unit: unitOf("cold_storage", "compressor_on"),
          decimals: 0,
          limits: [
            [null, good],
            [0.8, watch],
            [0.95, bad],
          ],
          colored: true,
        },
      ],
      hidden: ["Time", "sensor"],
      sortBy: { field: "open", descending: true },
      queries: [
        {
          influxql: overRange({
            measurement: cold,
            select: [
              `last(${rolledUp(cold, "temp", "last")}) AS "temp"`,
              `max(${rolledUp(cold, "temp", "max")}) AS "warmest"`,
              `mean(${rolledUp(cold, "door_open", "mean")}) AS "open"`,
              `mean(${rolledUp(cold, "compressor_on", "mean")}) AS "on"`,
            ].join(", "),
            where: sensors,
            by: ["district", "site", "commodity", "sensor"],
          }),
          as: "table",
        },
      ],
    }),
    bars({
      id: 8,
      at: [0, 20, 12, 9],
      title: { en: "Stock", ar: "المخزون" },
      about: {
        en: "What the monitored warehouses hold of each commodity. Months of cover, against the target, stand with the goals.",
        ar: "ما تحتويه المستودعات المرصودة من كل سلعة. أشهر التغطية مقابل المستهدف في لوحة الأهداف.",
      },
      unit: unitOf("food_stock", "stock"),
      decimals: 0,
      min: 0,
      limits: [[null, calm.teal]],
      names: commodityNames,
      queries: [
        {
          influxql: `SELECT sum("stock") AS "stock" FROM (SELECT last(${rolledUp(stock, "stock", "last")}) AS "stock" FROM ${rollup(stock)} WHERE ${["$timeFilter", ...sensors].join(" AND ")} GROUP BY "agency", "sensor", "commodity") GROUP BY "commodity"`,
          as: "time_series",
          alias: "$tag_commodity",
        },
      ],
    }),
    rows({
      id: 9,
      at: [12, 20, 12, 9],
      title: { en: "Where it comes from", ar: "مصدر الغذاء" },
      about: {
        en: "Intake and dispatch of the shown time, and the local share of intake. Choose a year for the self-sufficiency that the goals mean.",
        ar: "الوارد والمنصرف خلال المدة المعروضة، وحصة المحلي من الوارد. تُختار سنة للاكتفاء الذاتي الذي تعنيه الأهداف.",
      },
      columns: [
        { field: "commodity", title: { en: "Commodity", ar: "السلعة" }, words: commodityWords },
        {
          field: "local",
          title: { en: "Local", ar: "المحلي" },
          unit: unitOf("food_stock", "intake_local_total"),
          decimals: 1,
        },
        {
          field: "imported",
          title: { en: "Imported", ar: "المستورد" },
          unit: unitOf("food_stock", "intake_import_total"),
          decimals: 1,
        },
        {
          field: "dispatched",
          title: { en: "Dispatched", ar: "المنصرف" },
          unit: unitOf("food_stock", "dispatch_total"),
          decimals: 1,
        },
        { field: "share", title: { en: "Local share", ar: "حصة المحلي" }, unit: share, decimals: 0 },
      ],
      hidden: ["Time"],
      sortBy: { field: "share", descending: true },
      queries: [
        {
          influxql: overRange({
            measurement: stock,
            select: [
              `sum(${rolledUp(stock, "intake_local_total", "increase")}) AS "local"`,
              `sum(${rolledUp(stock, "intake_import_total", "increase")}) AS "imported"`,
              `sum(${rolledUp(stock, "dispatch_total", "increase")}) AS "dispatched"`,
              `sum(${rolledUp(stock, "intake_local_total", "increase")}) / (sum(${rolledUp(stock, "intake_local_total", "increase")}) + sum(${rolledUp(stock, "intake_import_total", "increase")})) AS "share"`,
            ].join(", "),
            where: sensors,
            by: ["commodity"],
          }),
          as: "table",
        },
      ],
    }),
  ],
};
