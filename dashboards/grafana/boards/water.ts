import { type Board, sensorVariable } from "../board.ts";
import { limitsOf } from "../limits.ts";
import { type Column, bars, lines, numbers, ofTheCell, ofTheSeries, rows } from "../panels.ts";
import { chosen, here, overRange, overTime, rolledUp, unitOf, whole } from "../queries.ts";
import { bad, calm, good, outside, placeWords, watch } from "../style.ts";

const sensors = [here, chosen("sensor")];
const flow = rolledUp("water_flow", "flow", "mean");

function qualityColumn(field: string, as: string, title: Column["title"]): Column {
  return {
    field: as,
    title,
    unit: unitOf("water_quality", field),
    decimals: 2,
    limits: outside(limitsOf("water_quality", field)),
    colored: true,
  };
}

export const water: Board = {
  name: "water",
  title: { en: "Water", ar: "المياه" },
  about: {
    en: "For the water control room: where is water lost, where does pressure fail, how long do the tanks last, is the water safe. Send a crew to the area whose night flow rises or whose pressure falls; isolate and sample where quality leaves its limits.",
    ar: "لغرفة التحكم بالمياه: أين تُفقد المياه، وأين يهبط الضغط، وكم تكفي الخزانات، وهل المياه صالحة. يُوجَّه الفريق إلى المنطقة التي يرتفع تدفقها الليلي أو يهبط ضغطها، وتُعزل الشبكة وتؤخذ العينات حيث تخرج الجودة عن حدودها.",
  },
  time: { from: "now-24h", to: "now" },
  refresh: "1m",
  variables: ["place", sensorVariable(["water_flow", "water_tank", "water_quality"])],
  alertsOf: ["water"],
  panels: [
    numbers({
      id: 1,
      at: [0, 0, 6, 5],
      title: { en: "Into the districts", ar: "الداخل إلى المناطق" },
      about: {
        en: "All inlet meters of district meter areas together. Compare with the same hour of yesterday before calling it a burst.",
        ar: "مجموع عدادات مداخل مناطق القياس. يُقارن بالساعة نفسها من أمس قبل الحكم بوجود كسر.",
      },
      unit: unitOf("water_flow", "flow"),
      decimals: 0,
      curve: true,
      queries: [
        {
          influxql: overTime({
            measurement: "water_flow",
            select: `sum(${flow}) AS "flow"`,
            where: [...sensors, `"role" = 'dma_in'`, whole],
          }),
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 2,
      at: [6, 0, 6, 5],
      title: { en: "Lowest pressure", ar: "أدنى ضغط" },
      about: {
        en: "The lowest pressure at any meter. Below the first limit upper floors run dry.",
        ar: "أدنى ضغط عند أي عداد. تحت الحد الأول تنقطع المياه عن الطوابق العليا.",
      },
      unit: unitOf("water_flow", "pressure"),
      decimals: 0,
      curve: true,
      limits: outside(limitsOf("water_flow", "pressure")),
      queries: [
        {
          influxql: overTime({
            measurement: "water_flow",
            select: `min(${rolledUp("water_flow", "pressure", "min")}) AS "pressure"`,
            where: sensors,
          }),
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 3,
      at: [12, 0, 6, 5],
      title: { en: "Mean fill of the tanks", ar: "متوسط امتلاء الخزانات" },
      about: {
        en: "All tanks, each counted once. A fall over a whole day means that less comes in than goes out.",
        ar: "جميع الخزانات، لكل منها وزن واحد. هبوط يستمر يوماً كاملاً يعني أن الداخل أقل من الخارج.",
      },
      unit: unitOf("water_tank", "fill"),
      decimals: 0,
      curve: true,
      limits: outside(limitsOf("water_tank", "fill")),
      queries: [
        {
          influxql: overTime({
            measurement: "water_tank",
            select: `mean(${rolledUp("water_tank", "fill", "mean")}) AS "fill"`,
            where: sensors,
          }),
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 4,
      at: [18, 0, 6, 5],
      title: { en: "Lowest free chlorine", ar: "أدنى كلور حر" },
      about: {
        en: "The lowest residual of any quality station. Below the limit: flush the line and take a sample.",
        ar: "أدنى كلور متبقٍّ في أي محطة جودة. تحت الحد: يُغسل الخط وتؤخذ عينة.",
      },
      unit: unitOf("water_quality", "chlorine_free"),
      decimals: 2,
      curve: true,
      limits: outside(limitsOf("water_quality", "chlorine_free")),
      queries: [
        {
          influxql: overTime({
            measurement: "water_quality",
            select: `min(${rolledUp("water_quality", "chlorine_free", "min")}) AS "chlorine"`,
            where: sensors,
          }),
          as: "time_series",
        },
      ],
    }),
    lines({
      id: 5,
      at: [0, 5, 12, 8],
      title: { en: "Flow into the districts, by municipality", ar: "التدفق الداخل إلى المناطق حسب البلدية" },
      about: {
        en: "Inlet meters, summed by municipality. Night flow that rises from week to week is a leak.",
        ar: "عدادات المداخل مجموعةً حسب البلدية. التدفق الليلي الذي يرتفع من أسبوع إلى آخر دليل على تسرب.",
      },
      unit: unitOf("water_flow", "flow"),
      byMunicipality: true,
      links: [
        {
          title: { en: "This municipality", ar: "هذه البلدية" },
          board: "water",
          query: ofTheSeries("municipality"),
        },
      ],
      queries: [
        {
          influxql: overTime({
            measurement: "water_flow",
            select: `sum(${flow}) AS "flow"`,
            where: [...sensors, `"role" = 'dma_in'`, whole],
            by: ["municipality"],
          }),
          as: "time_series",
          alias: "$tag_municipality",
        },
      ],
    }),
    lines({
      id: 6,
      at: [12, 5, 12, 8],
      title: { en: "Pressure", ar: "الضغط" },
      about: {
        en: "Mean and lowest pressure of the chosen meters. A step down without a step in flow is a burst or a shut valve.",
        ar: "متوسط وأدنى ضغط للعدادات المختارة. هبوط مفاجئ بلا تغير في التدفق يعني كسراً أو صماماً مغلقاً.",
      },
      unit: unitOf("water_flow", "pressure"),
      limits: outside(limitsOf("water_flow", "pressure")),
      showLimits: true,
      names: {
        mean: { title: { en: "Mean", ar: "المتوسط" }, color: calm.blue },
        lowest: { title: { en: "Lowest", ar: "الأدنى" }, color: calm.sand },
      },
      queries: [
        {
          influxql: overTime({
            measurement: "water_flow",
            select: `mean(${rolledUp("water_flow", "pressure", "mean")}) AS "mean", min(${rolledUp("water_flow", "pressure", "min")}) AS "lowest"`,
            where: sensors,
          }),
          as: "time_series",
          alias: "$col",
        },
      ],
    }),
    bars({
      id: 7,
      at: [0, 13, 8, 9],
      title: { en: "Lowest fill by municipality", ar: "أدنى امتلاء حسب البلدية" },
      about: {
        en: "The emptiest tank of each municipality at the end of the shown time. Refill or transfer before it reaches the limit.",
        ar: "أقل خزان امتلاءً في كل بلدية في نهاية المدة المعروضة. يُعبأ أو يُنقل إليه قبل بلوغ الحد.",
      },
      unit: unitOf("water_tank", "fill"),
      decimals: 0,
      min: 0,
      max: 1,
      limits: [
        [null, bad],
        [limitsOf("water_tank", "fill")[0], watch],
        [0.5, good],
      ],
      byMunicipality: true,
      queries: [
        {
          influxql: overTime({
            measurement: "water_tank",
            select: `min(${rolledUp("water_tank", "fill", "min")}) AS "fill"`,
            where: sensors,
            by: ["municipality"],
          }),
          as: "time_series",
          alias: "$tag_municipality",
        },
      ],
    }),
    rows({
      id: 8,
      at: [8, 13, 16, 9],
      title: { en: "Water quality by district", ar: "جودة المياه حسب المنطقة" },
      about: {
        en: "The worst of each district in the shown time: lowest chlorine, highest turbidity, mean pH and temperature. Red is outside the limits.",
        ar: "أسوأ قيمة في كل منطقة خلال المدة المعروضة: أدنى كلور وأعلى عكارة ومتوسط الأس الهيدروجيني والحرارة. الأحمر خارج الحدود.",
      },
      columns: [
        { field: "municipality", title: { en: "Municipality", ar: "البلدية" }, words: placeWords },
        {
          field: "district",
          title: { en: "District", ar: "المنطقة" },
          words: placeWords,
          link: {
            title: { en: "This district", ar: "هذه المنطقة" },
            board: "water",
            query: ofTheCell("district"),
          },
        },
        qualityColumn("chlorine_free", "chlorine", { en: "Lowest free chlorine", ar: "أدنى كلور حر" }),
        qualityColumn("turbidity", "turbidity", { en: "Highest turbidity", ar: "أعلى عكارة" }),
        qualityColumn("ph", "ph", { en: "pH", ar: "الأس الهيدروجيني" }),
        {
          field: "temp",
          title: { en: "Temperature", ar: "درجة الحرارة" },
          unit: unitOf("water_quality", "temp"),
          decimals: 1,
        },
      ],
      hidden: ["Time"],
      sortBy: { field: "chlorine", descending: false },
      queries: [
        {
          influxql: overRange({
            measurement: "water_quality",
            select: [
              `min(${rolledUp("water_quality", "chlorine_free", "min")}) AS "chlorine"`,
              `max(${rolledUp("water_quality", "turbidity", "max")}) AS "turbidity"`,
              `mean(${rolledUp("water_quality", "ph", "mean")}) AS "ph"`,
              `mean(${rolledUp("water_quality", "temp", "mean")}) AS "temp"`,
            ].join(", "),
            where: sensors,
            by: ["municipality", "district"],
          }),
          as: "table",
        },
      ],
    }),
  ],
};
