import type { Board } from "../board.ts";
import { coldest, frozen } from "../limits.ts";
import { numbers, ofTheCell, placeMap, rows } from "../panels.ts";
import { before, here, overTime, result, rolledUp, unitOf, rollup, weightedMean, whole } from "../queries.ts";
import {
  alertStateWords,
  bad,
  calm,
  domainWords,
  good,
  placeWords,
  severityWords,
  verdictWords,
  watch,
} from "../style.ts";
import { moment } from "../units.ts";
import { goalNames, openAlerts, silence, worstByGoal } from "./asked.ts";

const chilledOnly = `"commodity" !~ /^(${frozen.join("|")})$/`;

export const city: Board = {
  name: "city",
  title: { en: "City overview", ar: "نظرة عامة على المدينة" },
  about: {
    en: "For the wall and the shift leader: will the city reach its goals, what is wrong now and where. Everything on one screen. Take the topmost alert first, open its place, and hand it to the domain's board.",
    ar: "للشاشة الجدارية وقائد المناوبة: هل تبلغ المدينة أهدافها، وما الخلل الآن وأين. كل شيء في شاشة واحدة. يُبدأ بأعلى تنبيه، ثم يُفتح مكانه، ثم يُحال إلى لوحة مجاله.",
  },
  time: { from: "now-24h", to: "now" },
  refresh: "30s",
  variables: ["place"],
  panels: [
    numbers({
      id: 1,
      at: [0, 0, 24, 4],
      title: { en: "Strategic goals", ar: "الأهداف الاستراتيجية" },
      about: {
        en: "The worst verdict among each goal's indicators. Grey: too few readings to say.",
        ar: "أسوأ تقييم بين مؤشرات كل هدف. الرمادي: القراءات لا تكفي للحكم.",
      },
      unit: "1",
      tile: true,
      words: verdictWords,
      names: goalNames,
      links: [{ title: { en: "Strategic goals", ar: "الأهداف الاستراتيجية" }, board: "goals" }],
      queries: [{ influxql: worstByGoal, as: "time_series", alias: "$tag_goal" }],
    }),
    numbers({
      id: 2,
      at: [0, 4, 4, 5],
      title: { en: "Open alerts", ar: "التنبيهات المفتوحة" },
      about: {
        en: "Open or acknowledged at the end of the shown time.",
        ar: "المفتوحة أو التي تم الإقرار بها في نهاية المدة المعروضة.",
      },
      unit: "1",
      counts: true,
      limits: [
        [null, good],
        [1, watch],
        [10, bad],
      ],
      queries: [
        {
          influxql: `SELECT count("state_code") AS "open" FROM ${openAlerts([])}`,
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 3,
      at: [4, 4, 4, 5],
      title: { en: "Mean speed", ar: "متوسط السرعة" },
      about: {
        en: "Of all vehicles at the detectors, each vehicle counted once.",
        ar: "لجميع المركبات عند أجهزة الرصد، لكل مركبة وزن واحد.",
      },
      unit: unitOf("traffic_flow", "speed_avg"),
      decimals: 0,
      curve: true,
      color: calm.blue,
      links: [{ title: { en: "Traffic", ar: "المرور" }, board: "traffic" }],
      queries: [
        {
          influxql: weightedMean(true, { measurement: "traffic_flow", field: "speed_avg", as: "speed" }),
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 4,
      at: [8, 4, 4, 5],
      title: { en: "Water into the districts", ar: "المياه الداخلة إلى المناطق" },
      about: { en: "All inlet meters together.", ar: "مجموع عدادات المداخل." },
      unit: unitOf("water_flow", "flow"),
      decimals: 0,
      curve: true,
      color: calm.teal,
      links: [{ title: { en: "Water", ar: "المياه" }, board: "water" }],
      queries: [
        {
          influxql: overTime({
            measurement: "water_flow",
            select: `sum(${rolledUp("water_flow", "flow", "mean")}) AS "flow"`,
            where: [here, `"role" = 'dma_in'`, whole],
          }),
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 5,
      at: [12, 4, 4, 5],
      title: { en: "Electricity demand", ar: "الطلب على الكهرباء" },
      about: { en: "All feeders together.", ar: "مجموع المغذيات." },
      unit: unitOf("energy_meter", "power"),
      decimals: 1,
      curve: true,
      color: calm.sand,
      links: [{ title: { en: "Energy", ar: "الطاقة" }, board: "energy" }],
      queries: [
        {
          influxql: overTime({
            measurement: "energy_meter",
            select: `sum(${rolledUp("energy_meter", "power", "mean")}) AS "power"`,
            where: [here, `"role" = 'feeder'`, whole],
          }),
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 6,
      at: [16, 4, 4, 5],
      title: { en: "Cold stores too warm", ar: "مخازن تبريد دافئة" },
      about: {
        en: "Chilled stores whose last temperature is above 8 °C.",
        ar: "مخازن التبريد التي تجاوزت آخر درجة حرارة فيها ٨ درجات مئوية.",
      },
      unit: "1",
      counts: true,
      limits: [
        [null, good],
        [1, bad],
      ],
      links: [{ title: { en: "Food", ar: "الغذاء" }, board: "food" }],
      queries: [
        {
          influxql: `SELECT count("temp") AS "stores" FROM (SELECT last(${rolledUp("cold_storage", "temp", "last")}) AS "temp" FROM ${rollup("cold_storage")} WHERE $timeFilter AND ${here} AND ${chilledOnly} GROUP BY "agency", "sensor") WHERE "temp" > ${coldest.chilled}`,
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 7,
      at: [20, 4, 4, 5],
      title: { en: "Silent gateways", ar: "بوابات صامتة" },
      about: {
        en: "Nothing heard for five minutes: their sensors are not seen on any board.",
        ar: "لم يُسمع منها شيء منذ خمس دقائق: لا تظهر مستشعراتها على أي لوحة.",
      },
      unit: "1",
      counts: true,
      limits: [
        [null, good],
        [1, bad],
      ],
      links: [{ title: { en: "Gateways", ar: "البوابات" }, board: "gateways" }],
      queries: [
        {
          influxql: `SELECT count("silent") AS "gateways" FROM (SELECT last("silent_s") AS "silent" FROM ${result("gateway_ledger")} WHERE ${before("1h")} GROUP BY "agency", "gateway") WHERE "silent" > ${silence}`,
          as: "time_series",
        },
      ],
    }),
    rows({
      id: 8,
      at: [0, 9, 15, 13],
      title: { en: "What is wrong", ar: "ما الخلل" },
      about: {
        en: "Open and acknowledged alerts, the gravest first. The place opens this board for it alone.",
        ar: "التنبيهات المفتوحة والمُقَر بها، الأخطر أولاً. الضغط على المكان يفتح هذه اللوحة له وحده.",
      },
      columns: [
        {
          field: "severity_code",
          title: { en: "Severity", ar: "الخطورة" },
          width: 90,
          words: severityWords,
          colored: true,
        },
        { field: "title", title: { en: "Alert", ar: "التنبيه" }, wrap: true },
        {
          field: "municipality",
          title: { en: "Municipality", ar: "البلدية" },
          width: 140,
          words: placeWords,
          link: {
            title: { en: "Show this place", ar: "عرض هذا المكان" },
            board: "city",
            query: ofTheCell("municipality"),
          },
        },
        { field: "district", title: { en: "District", ar: "المنطقة" }, width: 140, words: placeWords },
        { field: "domain", title: { en: "Domain", ar: "المجال" }, width: 100, words: domainWords },
        {
          field: "state_code",
          title: { en: "State", ar: "الحالة" },
          width: 120,
          words: alertStateWords,
          colored: true,
        },
        { field: "Time", title: { en: "Since", ar: "منذ" }, width: 150, unit: moment },
      ],
      sortBy: { field: "severity_code", descending: true },
      queries: [
        {
          influxql: `SELECT "severity_code", "title", "municipality", "district", "domain", "state_code" FROM ${openAlerts(['"severity_code"', '"title_{lang}" AS "title"', '"municipality"', '"district"', '"domain"'])} LIMIT 100`,
          as: "table",
        },
      ],
    }),
    placeMap({
      id: 9,
      at: [15, 9, 9, 13],
      title: { en: "Where", ar: "أين" },
      about: {
        en: "Open alerts by municipality, coloured by the gravest, each at its main town.",
        ar: "التنبيهات المفتوحة حسب البلدية، ولونها لون الأخطر. تُعرض كل بلدية عند مدينتها الرئيسة.",
      },
      unit: "1",
      size: "open",
      color: "severity",
      columns: [
        { field: "municipality", title: { en: "Municipality", ar: "البلدية" }, words: placeWords },
        { field: "open", title: { en: "Open alerts", ar: "التنبيهات المفتوحة" }, unit: "1" },
        {
          field: "severity",
          title: { en: "Gravest", ar: "الأخطر" },
          words: severityWords,
          limits: [
            [null, calm.grey],
            [1, calm.blue],
            [2, watch],
            [3, bad],
          ],
        },
      ],
      queries: [
        {
          influxql: `SELECT count("state_code") AS "open", max("severity_code") AS "severity" FROM ${openAlerts(['last("severity_code") AS "severity_code"'], ["municipality"])} GROUP BY "municipality"`,
          as: "table",
        },
        {
          influxql: `SELECT last("longitude") AS "longitude", last("latitude") AS "latitude" FROM ${result("place")} WHERE "district" = '' GROUP BY "municipality"`,
          as: "table",
        },
      ],
    }),
  ],
};
