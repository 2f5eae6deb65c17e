import { type Board, sensorVariable } from "../board.ts";
import { limitsOf } from "../limits.ts";
import { lines, numbers, ofTheCell, ofTheSeries, rows } from "../panels.ts";
import { chosen, here, overRange, overTime, rolledUp, unitOf, whole } from "../queries.ts";
import { calm, outside, placeWords } from "../style.ts";

const meter = "energy_meter";
const sensors = [here, chosen("sensor")];
const feeders = [...sensors, `"role" = 'feeder'`];
const customers = [...sensors, `"role" = 'customer'`];
const power = rolledUp(meter, "power", "mean");
const voltage = limitsOf(meter, "voltage");
const frequency = limitsOf(meter, "frequency");

export const energy: Board = {
  name: "energy",
  title: { en: "Energy", ar: "الطاقة" },
  about: {
    en: "For the grid's dispatcher: how much is drawn and where, what the sun gives, which feeders come near their limit, is the supply within its bounds. Shift load off a feeder before its peak; call the utility where voltage or frequency leaves the band.",
    ar: "لموزع الأحمال: كم يُسحب وأين، وماذا تعطي الشمس، وأي المغذيات تقترب من حدها، وهل التغذية ضمن نطاقها. يُنقل الحمل عن المغذي قبل ذروته، ويُتصل بالجهة المزودة حيث يخرج الجهد أو التردد عن النطاق.",
  },
  time: { from: "now-24h", to: "now" },
  refresh: "1m",
  variables: ["place", sensorVariable([meter, "solar"])],
  alertsOf: ["energy"],
  panels: [
    numbers({
      id: 1,
      at: [0, 0, 6, 4],
      title: { en: "Demand", ar: "الطلب" },
      about: { en: "All feeders together.", ar: "مجموع المغذيات." },
      unit: unitOf("energy_meter", "power"),
      decimals: 1,
      curve: true,
      color: calm.sand,
      queries: [
        {
          influxql: overTime({
            measurement: meter,
            select: `sum(${power}) AS "power"`,
            where: [...feeders, whole],
          }),
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 2,
      at: [6, 0, 6, 4],
      title: { en: "Solar generation", ar: "التوليد الشمسي" },
      about: { en: "All plants together.", ar: "مجموع المحطات." },
      unit: unitOf("solar", "power"),
      decimals: 1,
      curve: true,
      color: calm.teal,
      queries: [
        {
          influxql: overTime({
            measurement: "solar",
            select: `sum(${rolledUp("solar", "power", "mean")}) AS "power"`,
            where: [...sensors, whole],
          }),
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 3,
      at: [12, 0, 6, 4],
      title: { en: "Lowest voltage at a customer", ar: "أدنى جهد عند مشترك" },
      about: {
        en: "A voltage near 0 is a power cut; one that sags over hours is an overloaded transformer.",
        ar: "الجهد القريب من الصفر انقطاع؛ والجهد الذي يهبط على مدى ساعات محول مثقل.",
      },
      unit: unitOf("energy_meter", "voltage"),
      decimals: 0,
      curve: true,
      limits: outside(voltage),
      queries: [
        {
          influxql: overTime({
            measurement: meter,
            select: `min(${rolledUp(meter, "voltage", "min")}) AS "voltage"`,
            where: customers,
          }),
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 4,
      at: [18, 0, 6, 4],
      title: { en: "Frequency", ar: "التردد" },
      about: {
        en: "Mean of the meters; the whole grid has one frequency.",
        ar: "متوسط العدادات؛ للشبكة كلها تردد واحد.",
      },
      unit: unitOf("energy_meter", "frequency"),
      decimals: 2,
      curve: true,
      limits: outside(frequency),
      queries: [
        {
          influxql: overTime({
            measurement: meter,
            select: `mean(${rolledUp(meter, "frequency", "mean")}) AS "frequency"`,
            where: sensors,
          }),
          as: "time_series",
        },
      ],
    }),
    lines({
      id: 5,
      at: [0, 4, 16, 9],
      title: { en: "Demand by municipality", ar: "الطلب حسب البلدية" },
      about: {
        en: "Feeders, summed by municipality and stacked: the upper edge is the city.",
        ar: "المغذيات مجموعةً حسب البلدية ومتراكمة: الحافة العليا هي المدينة.",
      },
      unit: unitOf("energy_meter", "power"),
      min: 0,
      stacked: true,
      fill: 30,
      byMunicipality: true,
      links: [
        {
          title: { en: "This municipality", ar: "هذه البلدية" },
          board: "energy",
          query: ofTheSeries("municipality"),
        },
      ],
      queries: [
        {
          influxql: overTime({
            measurement: meter,
            select: `sum(${power}) AS "power"`,
            where: [...feeders, whole],
            by: ["municipality"],
          }),
          as: "time_series",
          alias: "$tag_municipality",
        },
      ],
    }),
    lines({
      id: 6,
      at: [16, 4, 8, 9],
      title: { en: "Sun and what is made of it", ar: "الشمس وما يُولَّد منها" },
      about: {
        en: "Generation that does not follow irradiance: dust on the panels, or an inverter that has tripped.",
        ar: "توليد لا يتبع الإشعاع: غبار على الألواح أو عاكس متوقف.",
      },
      unit: unitOf("solar", "power"),
      min: 0,
      names: {
        power: { title: { en: "Generation", ar: "التوليد" }, color: calm.teal },
        irradiance: {
          title: { en: "Irradiance", ar: "الإشعاع الشمسي" },
          color: calm.sand,
          unit: unitOf("solar", "irradiance"),
          line: "dashed",
        },
      },
      queries: [
        {
          influxql: overTime({
            measurement: "solar",
            select: `sum(${rolledUp("solar", "power", "mean")}) AS "power", mean(${rolledUp("solar", "irradiance", "mean")}) AS "irradiance"`,
            where: [...sensors, whole],
          }),
          as: "time_series",
          alias: "$col",
        },
      ],
    }),
    rows({
      id: 7,
      at: [0, 13, 14, 10],
      title: { en: "Feeders, the highest peak first", ar: "المغذيات، أعلى ذروة أولاً" },
      about: {
        en: "Over the shown time. A low power factor costs current: have it compensated.",
        ar: "خلال المدة المعروضة. معامل القدرة المنخفض يكلف تياراً: يُعوَّض.",
      },
      columns: [
        {
          field: "district",
          title: { en: "District", ar: "المنطقة" },
          words: placeWords,
          link: {
            title: { en: "This district", ar: "هذه المنطقة" },
            board: "energy",
            query: ofTheCell("district"),
          },
        },
        { field: "site", title: { en: "Substation", ar: "المحطة الفرعية" } },
        { field: "sensor", title: { en: "Feeder", ar: "المغذي" } },
        {
          field: "peak",
          title: { en: "Peak", ar: "الذروة" },
          unit: unitOf("energy_meter", "power"),
          decimals: 1,
        },
        {
          field: "power",
          title: { en: "Mean", ar: "المتوسط" },
          unit: unitOf("energy_meter", "power"),
          decimals: 1,
        },
        {
          field: "pf",
          title: { en: "Power factor", ar: "معامل القدرة" },
          unit: "1",
          decimals: 2,
          limits: outside(limitsOf(meter, "pf")),
          colored: true,
        },
      ],
      hidden: ["Time"],
      sortBy: { field: "peak", descending: true },
      queries: [
        {
          influxql: overRange({
            measurement: meter,
            select: `max(${rolledUp(meter, "power", "max")}) AS "peak", mean(${power}) AS "power", mean(${rolledUp(meter, "pf", "mean")}) AS "pf"`,
            where: feeders,
            by: ["district", "site", "sensor"],
          }),
          as: "table",
        },
      ],
    }),
    lines({
      id: 8,
      at: [14, 13, 10, 10],
      title: { en: "Voltage at customers", ar: "الجهد عند المشتركين" },
      about: {
        en: "Highest, mean and lowest. The dashed lines are nominal voltage less and plus 10 %.",
        ar: "الأعلى والمتوسط والأدنى. الخطان المتقطعان هما الجهد الاسمي ناقص وزائد ١٠٪.",
      },
      unit: unitOf("energy_meter", "voltage"),
      limits: outside(voltage),
      showLimits: true,
      names: {
        highest: { title: { en: "Highest", ar: "الأعلى" }, color: calm.grey },
        mean: { title: { en: "Mean", ar: "المتوسط" }, color: calm.blue },
        lowest: { title: { en: "Lowest", ar: "الأدنى" }, color: calm.sand },
      },
      queries: [
        {
          influxql: overTime({
            measurement: meter,
            select: `max(${rolledUp(meter, "voltage", "max")}) AS "highest", mean(${rolledUp(meter, "voltage", "mean")}) AS "mean", min(${rolledUp(meter, "voltage", "min")}) AS "lowest"`,
            where: customers,
          }),
          as: "time_series",
          alias: "$col",
        },
      ],
    }),
    lines({
      id: 9,
      at: [0, 23, 24, 7],
      title: { en: "Energy taken by customers", ar: "الطاقة التي يأخذها المشتركون" },
      about: {
        en: "Increases of their meters, window by window: a minute, an hour or a day, as the shown time calls for.",
        ar: "زيادات عداداتهم نافذةً نافذة: دقيقة أو ساعة أو يوماً بحسب المدة المعروضة.",
      },
      unit: unitOf("energy_meter", "import_total"),
      min: 0,
      bars: true,
      legend: false,
      names: { energy: { title: { en: "Energy", ar: "الطاقة" }, color: calm.sand } },
      queries: [
        {
          influxql: overTime({
            measurement: meter,
            select: `sum(${rolledUp(meter, "import_total", "increase")}) AS "energy"`,
            where: [...customers, whole],
          }),
          as: "time_series",
          alias: "$col",
        },
      ],
    }),
  ],
};
