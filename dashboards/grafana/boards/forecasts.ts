import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { Board, Variable } from "../board.ts";
import { type Panel, type Place, lines, rows } from "../panels.ts";
import { catalogueField, cityTime, here, overTime, result, rolledUp, unitOf } from "../queries.ts";
import { bad, calm, good, placeWords, watch } from "../style.ts";
import { moment, share } from "../units.ts";
import type { Text } from "../language.ts";
import { fieldWords, measurementWords } from "./asked.ts";

const forecast = result("forecast");

/** Sensors of a measurement that are forecast; the board shows one of each. */
function forecastSensor(name: string, measurement: string, label: Text): Variable {
  return {
    name,
    label,
    influxql: `SHOW TAG VALUES FROM ${forecast} WITH KEY = "sensor" WHERE "measurement" = '${measurement}' AND ${here} LIMIT 1000`,
    single: true,
  };
}

const low = { en: "Lower edge (80 %)", ar: "الحافة الدنيا (٨٠٪)" };

function actualAndForecast(
  id: number,
  at: Place,
  measurement: string,
  field: string,
  variable: string,
  about: Text,
): Panel {
  const { title } = catalogueField(measurement, field);
  const measured = builtinCatalogue.measurements[builtinCatalogue.indexOf(measurement)!]!.title;
  const sensor = `"sensor" = '$${variable}'`;
  return lines({
    id,
    at,
    title: { en: `${measured.en}: ${title.en}`, ar: `${measured.ar}: ${title.ar}` },
    about,
    unit: unitOf(measurement, field),
    fill: 0,
    names: {
      actual: { title: { en: "Actual", ar: "الفعلي" }, color: calm.sand },
      forecast: { title: { en: "Forecast", ar: "المتوقع" }, color: calm.blue, line: "dashed" },
      lo_80: { title: low, color: calm.blue, line: "none" },
      hi_80: {
        title: { en: "Upper edge (80 %)", ar: "الحافة العليا (٨٠٪)" },
        color: calm.blue,
        line: "none",
        downTo: low,
      },
    },
    queries: [
      {
        influxql: overTime({
          measurement,
          select: `mean(${rolledUp(measurement, field, "mean")}) AS "actual"`,
          where: [sensor],
        }),
        as: "time_series",
        alias: "$col",
      },
      {
        influxql: `SELECT mean("mean") AS "forecast", mean("lo_80") AS "lo_80", mean("hi_80") AS "hi_80" FROM ${forecast} WHERE $timeFilter AND "measurement" = '${measurement}' AND "field" = '${field}' AND "lead" = '$lead' AND ${sensor} GROUP BY time($window) fill(none) ${cityTime}`,
        as: "time_series",
        alias: "$col",
      },
    ],
  });
}

export const forecasts: Board = {
  name: "forecasts",
  title: { en: "Forecasts", ar: "التوقعات" },
  about: {
    en: "For planners of the next hours and days, and for whoever has to trust a forecast: what is expected, how sure is it, has it been right. Plan for the upper edge of the band, not for the line; where the actual leaves the band, look for the cause before the alert does.",
    ar: "لمن يخطط للساعات والأيام القادمة، ولمن عليه أن يثق بتوقع: ما المتوقع، وما مدى التأكد منه، وهل أصاب من قبل. يُخطط للحافة العليا للنطاق لا للخط، وحيث يخرج الفعلي عن النطاق يُبحث عن السبب قبل التنبيه.",
  },
  time: { from: "now-2d", to: "now+2d" },
  refresh: "5m",
  variables: [
    "place",
    {
      name: "lead",
      label: { en: "Forecast ahead by", ar: "مدة التوقع المسبق" },
      influxql: `SHOW TAG VALUES FROM ${forecast} WITH KEY = "lead"`,
      single: true,
    },
    forecastSensor("detector", "traffic_flow", { en: "Traffic detector", ar: "جهاز رصد المرور" }),
    forecastSensor("water_meter", "water_flow", { en: "Water meter", ar: "عداد المياه" }),
    forecastSensor("meter", "energy_meter", { en: "Electricity meter", ar: "عداد الكهرباء" }),
  ],
  panels: [
    actualAndForecast(1, [0, 0, 24, 8], "traffic_flow", "vehicles", "detector", {
      en: "Vehicles a reading at the chosen detector, and the band in which four of five are expected.",
      ar: "المركبات لكل قراءة عند الجهاز المختار، والنطاق الذي يُتوقع أن تقع فيه أربع من كل خمس.",
    }),
    actualAndForecast(2, [0, 8, 12, 8], "water_flow", "flow", "water_meter", {
      en: "Flow at the chosen meter. Above the band at night: a leak.",
      ar: "التدفق عند العداد المختار. فوق النطاق ليلاً: تسرب.",
    }),
    actualAndForecast(3, [12, 8, 12, 8], "energy_meter", "power", "meter", {
      en: "Power at the chosen meter. The upper edge is what the feeder must be able to carry.",
      ar: "القدرة عند العداد المختار. الحافة العليا هي ما يجب أن يقدر المغذي على حمله.",
    }),
    rows({
      id: 4,
      at: [0, 16, 11, 9],
      title: { en: "How good they have been", ar: "مدى دقتها" },
      about: {
        en: "Scaled error below 1 beats last week's same hour. Bands should hold as much as they promise: 80 % and 95 %.",
        ar: "الخطأ النسبي دون ١ أفضل من الساعة نفسها من الأسبوع الماضي. ينبغي أن تحتوي النطاقات ما تعد به: ٨٠٪ و٩٥٪.",
      },
      columns: [
        { field: "measurement", title: { en: "Measurement", ar: "القياس" }, words: measurementWords },
        { field: "field", title: { en: "Field", ar: "الحقل" }, words: fieldWords },
        { field: "lead", title: { en: "Ahead by", ar: "مسبقاً بـ" } },
        {
          field: "mase",
          title: { en: "Scaled error", ar: "الخطأ النسبي" },
          unit: "1",
          decimals: 2,
          limits: [
            [null, good],
            [0.9, watch],
            [1, bad],
          ],
          colored: true,
        },
        { field: "covered_80", title: { en: "Inside 80 %", ar: "ضمن ٨٠٪" }, unit: share, decimals: 0 },
        { field: "covered_95", title: { en: "Inside 95 %", ar: "ضمن ٩٥٪" }, unit: share, decimals: 0 },
        { field: "error", title: { en: "Mean error", ar: "متوسط الخطأ" }, unit: "1", decimals: 2 },
      ],
      hidden: ["Time"],
      sortBy: { field: "mase", descending: true },
      queries: [
        {
          influxql: `SELECT mean("mase") AS "mase", mean("covered_80") AS "covered_80", mean("covered_95") AS "covered_95", mean("error") AS "error" FROM ${result("forecast_accuracy")} WHERE $timeFilter AND ${here} GROUP BY "measurement", "field", "lead"`,
          as: "table",
        },
      ],
    }),
    rows({
      id: 5,
      at: [11, 16, 13, 9],
      title: { en: "What was not expected", ar: "ما لم يكن متوقعاً" },
      about: {
        en: "Anomalies of the shown time, the newest first, with their reasons in words.",
        ar: "الحالات الشاذة خلال المدة المعروضة، الأحدث أولاً، مع أسبابها بالكلمات.",
      },
      columns: [
        { field: "Time", title: { en: "When", ar: "متى" }, unit: moment, width: 150 },
        {
          field: "municipality",
          title: { en: "Municipality", ar: "البلدية" },
          words: placeWords,
          width: 120,
        },
        { field: "reason", title: { en: "What", ar: "ماذا" }, wrap: true },
        { field: "observed", title: { en: "Observed", ar: "المرصود" }, unit: "1", decimals: 1, width: 90 },
        { field: "expected", title: { en: "Expected", ar: "المتوقع" }, unit: "1", decimals: 1, width: 90 },
        { field: "score", title: { en: "Score", ar: "الدرجة" }, unit: "1", decimals: 1, width: 80 },
      ],
      queries: [
        {
          influxql: `SELECT "municipality", "reason_{lang}" AS "reason", "observed", "expected", "score" FROM ${result("anomaly")} WHERE $timeFilter AND ${here} ORDER BY time DESC LIMIT 100`,
          as: "table",
        },
      ],
    }),
  ],
};
