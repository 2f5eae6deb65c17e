import { type Board, sensorVariable } from "../board.ts";
import { limitsOf } from "../limits.ts";
import { lines, numbers, ofTheCell, ofTheSeries, rows } from "../panels.ts";
import { chosen, here, overRange, overTime, rolledUp, unitOf, rollup, weightedMean } from "../queries.ts";
import { bad, calm, good, outside, placeWords, watch } from "../style.ts";

const sensors = [here, chosen("sensor")];
const flow = "traffic_flow";
const occupancy = limitsOf(flow, "occupancy");
const thisDistrict = {
  title: { en: "This district", ar: "هذه المنطقة" },
  board: "traffic",
  query: ofTheCell("district"),
};

export const traffic: Board = {
  name: "traffic",
  title: { en: "Traffic", ar: "المرور" },
  about: {
    en: "For the traffic control room: where does it stand still, which corridors have become unreliable, is the air on them fit to breathe. Change signals or send a patrol where speed falls while occupancy rises; low speed with low occupancy is a detector or an empty road.",
    ar: "لغرفة التحكم بالمرور: أين توقفت الحركة، وأي المحاور لم تعد موثوقة، وهل هواؤها صالح للتنفس. تُعدَّل الإشارات أو تُرسل دورية حيث تهبط السرعة ويرتفع الإشغال؛ أما السرعة المنخفضة مع إشغال منخفض فجهاز معطل أو طريق خالٍ.",
  },
  time: { from: "now-24h", to: "now" },
  refresh: "30s",
  variables: ["place", sensorVariable([flow])],
  alertsOf: ["traffic", "environment"],
  panels: [
    numbers({
      id: 1,
      at: [0, 0, 6, 4],
      title: { en: "Mean speed", ar: "متوسط السرعة" },
      about: {
        en: "Of all vehicles at the chosen detectors, each vehicle counted once.",
        ar: "لجميع المركبات عند أجهزة الرصد المختارة، لكل مركبة وزن واحد.",
      },
      unit: unitOf("traffic_flow", "speed_avg"),
      decimals: 0,
      curve: true,
      queries: [
        {
          influxql: weightedMean(true, {
            measurement: flow,
            field: "speed_avg",
            as: "speed",
            where: sensors,
          }),
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 2,
      at: [6, 0, 6, 4],
      title: { en: "Vehicles a lane and reading", ar: "المركبات لكل حارة وقراءة" },
      about: {
        en: "Mean count of a detector in one of its readings (a minute). It does not depend on how many detectors are chosen.",
        ar: "متوسط ما يعدّه جهاز رصد في قراءة واحدة (دقيقة). لا يتأثر بعدد الأجهزة المختارة.",
      },
      unit: unitOf("traffic_flow", "vehicles"),
      decimals: 1,
      curve: true,
      queries: [
        {
          influxql: overTime({
            measurement: flow,
            select: `mean(${rolledUp(flow, "vehicles", "mean")}) AS "vehicles"`,
            where: sensors,
          }),
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 3,
      at: [12, 0, 6, 4],
      title: { en: "Occupancy", ar: "نسبة الإشغال" },
      about: {
        en: "Share of time that the lanes are covered by vehicles.",
        ar: "نسبة الزمن الذي تشغل فيه المركبات الحارات.",
      },
      unit: unitOf("traffic_flow", "occupancy"),
      decimals: 0,
      curve: true,
      limits: [
        [null, good],
        [0.25, watch],
        [occupancy[1], bad],
      ],
      queries: [
        {
          influxql: overTime({
            measurement: flow,
            select: `mean(${rolledUp(flow, "occupancy", "mean")}) AS "occupancy"`,
            where: sensors,
          }),
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 4,
      at: [18, 0, 6, 4],
      title: { en: "Congested lanes", ar: "الحارات المزدحمة" },
      about: {
        en: "Detectors whose last occupancy is above the limit from which speeds fall.",
        ar: "أجهزة رصد تجاوز آخر إشغال لها الحد الذي تبدأ عنده السرعة بالهبوط.",
      },
      unit: "1",
      counts: true,
      limits: [
        [null, good],
        [1, watch],
        [20, bad],
      ],
      queries: [
        {
          influxql: `SELECT count("occupancy") AS "lanes" FROM (SELECT last(${rolledUp(flow, "occupancy", "last")}) AS "occupancy" FROM ${rollup(flow)} WHERE ${["$timeFilter", ...sensors].join(" AND ")} GROUP BY "agency", "sensor") WHERE "occupancy" > ${occupancy[1]}`,
          as: "time_series",
        },
      ],
    }),
    lines({
      id: 5,
      at: [0, 4, 12, 8],
      title: { en: "Mean speed by municipality", ar: "متوسط السرعة حسب البلدية" },
      about: {
        en: "Weighed by vehicles. A dip that the same hour of last week did not have is an incident.",
        ar: "مرجحاً بعدد المركبات. هبوط لم يحدث في الساعة نفسها من الأسبوع الماضي يعني حادثاً.",
      },
      unit: unitOf("traffic_flow", "speed_avg"),
      min: 0,
      byMunicipality: true,
      links: [
        {
          title: { en: "This municipality", ar: "هذه البلدية" },
          board: "traffic",
          query: ofTheSeries("municipality"),
        },
      ],
      queries: [
        {
          influxql: weightedMean(true, {
            measurement: flow,
            field: "speed_avg",
            as: "speed",
            where: sensors,
            by: ["municipality"],
          }),
          as: "time_series",
          alias: "$tag_municipality",
        },
      ],
    }),
    lines({
      id: 6,
      at: [12, 4, 12, 8],
      title: { en: "Occupancy by municipality", ar: "نسبة الإشغال حسب البلدية" },
      about: {
        en: "Mean of the lanes. Above the dashed line speeds fall.",
        ar: "متوسط الحارات. فوق الخط المتقطع تهبط السرعة.",
      },
      unit: unitOf("traffic_flow", "occupancy"),
      min: 0,
      limits: outside(occupancy),
      showLimits: true,
      byMunicipality: true,
      queries: [
        {
          influxql: overTime({
            measurement: flow,
            select: `mean(${rolledUp(flow, "occupancy", "mean")}) AS "occupancy"`,
            where: sensors,
            by: ["municipality"],
          }),
          as: "time_series",
          alias: "$tag_municipality",
        },
      ],
    }),
    rows({
      id: 7,
      at: [0, 12, 12, 9],
      title: { en: "Districts, the slowest first", ar: "المناطق، الأبطأ أولاً" },
      about: {
        en: "Over the shown time. Slow and full: act. Slow and empty: look at the detector.",
        ar: "خلال المدة المعروضة. بطيئة وممتلئة: يلزم التدخل. بطيئة وخالية: يُفحص جهاز الرصد.",
      },
      columns: [
        { field: "municipality", title: { en: "Municipality", ar: "البلدية" }, words: placeWords },
        {
          field: "district",
          title: { en: "District", ar: "المنطقة" },
          words: placeWords,
          link: thisDistrict,
        },
        {
          field: "speed",
          title: { en: "Mean speed", ar: "متوسط السرعة" },
          unit: unitOf("traffic_flow", "speed_avg"),
          decimals: 0,
        },
        {
          field: "occupancy",
          title: { en: "Highest occupancy", ar: "أعلى إشغال" },
          unit: unitOf("traffic_flow", "occupancy"),
          decimals: 0,
          limits: outside(occupancy),
          colored: true,
        },
        {
          field: "vehicles",
          title: { en: "Vehicles", ar: "المركبات" },
          unit: "1",
          decimals: 0,
        },
      ],
      hidden: ["Time"],
      sortBy: { field: "speed", descending: false },
      queries: [
        {
          influxql: overRange({
            measurement: flow,
            select: [
              `mean(${rolledUp(flow, "speed_avg", "mean")}) AS "speed"`,
              `max(${rolledUp(flow, "occupancy", "mean")}) AS "occupancy"`,
              `sum(${rolledUp(flow, "vehicles", "sum")}) AS "vehicles"`,
            ].join(", "),
            where: sensors,
            by: ["municipality", "district"],
          }),
          as: "table",
        },
      ],
    }),
    rows({
      id: 8,
      at: [12, 12, 12, 9],
      title: { en: "Corridors, the least reliable first", ar: "المحاور، الأقل موثوقية أولاً" },
      about: {
        en: "How much longer a bad journey takes than a usual one: the 95th percentile over the median. 1.5 is the goal.",
        ar: "كم تطول الرحلة السيئة عن المعتادة: المئين ٩٥ على الوسيط. الهدف ١٫٥.",
      },
      columns: [
        { field: "corridor", title: { en: "Corridor", ar: "المحور" } },
        {
          field: "usual",
          title: { en: "Usual", ar: "المعتاد" },
          unit: unitOf("travel_time", "seconds"),
          decimals: 1,
        },
        {
          field: "bad",
          title: { en: "Bad", ar: "السيئ" },
          unit: unitOf("travel_time", "seconds"),
          decimals: 1,
        },
        {
          field: "ratio",
          title: { en: "Bad over usual", ar: "نسبة السيئ إلى المعتاد" },
          unit: "1",
          decimals: 2,
          limits: [
            [null, good],
            [1.3, watch],
            [1.5, bad],
          ],
          colored: true,
        },
      ],
      hidden: ["Time"],
      sortBy: { field: "ratio", descending: true },
      queries: [
        {
          influxql: overRange({
            measurement: "travel_time",
            select: [
              `percentile(${rolledUp("travel_time", "seconds", "mean")}, 50) AS "usual"`,
              `percentile(${rolledUp("travel_time", "seconds", "mean")}, 95) AS "bad"`,
              `percentile(${rolledUp("travel_time", "seconds", "mean")}, 95) / percentile(${rolledUp("travel_time", "seconds", "mean")}, 50) AS "ratio"`,
            ].join(", "),
            by: ["corridor"],
          }),
          as: "table",
        },
      ],
    }),
    lines({
      id: 9,
      at: [0, 21, 24, 7],
      title: { en: "Fine particles on the corridors", ar: "الجسيمات الدقيقة على المحاور" },
      about: {
        en: "PM2.5, mean of the stations of a municipality. The dashed line is WHO's guideline for 24 hours.",
        ar: "الجسيمات PM2.5، متوسط محطات البلدية. الخط المتقطع هو الحد الإرشادي لمنظمة الصحة العالمية لمدة ٢٤ ساعة.",
      },
      unit: unitOf("air_quality", "pm2_5"),
      min: 0,
      limits: outside(limitsOf("air_quality", "pm2_5")),
      showLimits: true,
      color: calm.grey,
      byMunicipality: true,
      queries: [
        {
          influxql: overTime({
            measurement: "air_quality",
            select: `mean(${rolledUp("air_quality", "pm2_5", "mean")}) AS "pm2_5"`,
            by: ["municipality"],
          }),
          as: "time_series",
          alias: "$tag_municipality",
        },
      ],
    }),
  ],
};
