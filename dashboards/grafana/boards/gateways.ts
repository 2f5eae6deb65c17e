import type { Board } from "../board.ts";
import { limitsOf } from "../limits.ts";
import { lines, numbers, rows, states } from "../panels.ts";
import { before, chosen, overTime, result, rolledUp, unitOf } from "../queries.ts";
import { type Words, bad, calm, good, outside, watch } from "../style.ts";
import { silence } from "./asked.ts";

const ledger = result("gateway_ledger");
const gateways = chosen("gateway");
/** A gateway reports on itself as a sensor of its own name. */
const itself = [chosen("gateway", "sensor")];
const recent = before("15m");

const connectedWords: Words = {
  true: { text: { en: "Connected", ar: "متصلة" }, color: good },
  false: { text: { en: "Away", ar: "غير متصلة" }, color: bad },
};

export const gatewaysBoard: Board = {
  name: "gateways",
  title: { en: "Gateways", ar: "البوابات" },
  about: {
    en: "For the people in the field: which gateways are silent, which have readings waiting, whose clock is wrong, and is every reading accounted for. Drive to the silent one; leave one alone whose backlog falls; a gateway that misses readings for hours has lost its disk.",
    ar: "للعاملين في الميدان: أي البوابات صامتة، وأيها تنتظر لديها قراءات، وأيها ساعته خاطئة، وهل كل قراءة محسوبة. يُذهب إلى الصامتة، وتُترك التي يتناقص المتراكم لديها، والبوابة التي تفتقد قراءات لساعات فقدت قرصها.",
  },
  time: { from: "now-24h", to: "now" },
  refresh: "30s",
  variables: [
    {
      name: "gateway",
      label: { en: "Gateway", ar: "البوابة" },
      influxql: `SHOW TAG VALUES FROM ${ledger} WITH KEY = "gateway" LIMIT 1000`,
    },
  ],
  alertsOf: ["platform"],
  panels: [
    numbers({
      id: 1,
      at: [0, 0, 6, 4],
      title: { en: "Connected", ar: "المتصلة" },
      about: { en: "Gateways with a connection now.", ar: "البوابات المتصلة الآن." },
      unit: "{gateway}",
      counts: true,
      color: calm.blue,
      queries: [
        {
          influxql: `SELECT count("connected") AS "connected" FROM (SELECT last("connected") AS "connected" FROM ${ledger} WHERE ${recent} AND ${gateways} GROUP BY "agency", "gateway") WHERE "connected" = true`,
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 2,
      at: [6, 0, 6, 4],
      title: { en: "Silent", ar: "الصامتة" },
      about: { en: "Nothing heard for five minutes.", ar: "لم يُسمع منها شيء منذ خمس دقائق." },
      unit: "{gateway}",
      counts: true,
      limits: [
        [null, good],
        [1, bad],
      ],
      queries: [
        {
          influxql: `SELECT count("silent") AS "silent" FROM (SELECT last("silent_s") AS "silent" FROM ${ledger} WHERE ${recent} AND ${gateways} GROUP BY "agency", "gateway") WHERE "silent" > ${silence}`,
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 3,
      at: [12, 0, 6, 4],
      title: { en: "Refused in the shown time", ar: "المرفوضة خلال المدة المعروضة" },
      about: {
        en: "Readings that were refused; `marsad deadletters list` has them with their reasons.",
        ar: "القراءات المرفوضة؛ يعرضها الأمر marsad deadletters list مع أسبابها.",
      },
      unit: "{reading}",
      counts: true,
      limits: [
        [null, good],
        [1, watch],
      ],
      queries: [
        {
          influxql: `SELECT sum("refused") AS "refused" FROM (SELECT spread("refused") AS "refused" FROM ${ledger} WHERE $timeFilter AND ${gateways} GROUP BY "agency", "gateway")`,
          as: "time_series",
        },
      ],
    }),
    numbers({
      id: 4,
      at: [18, 0, 6, 4],
      title: { en: "Missing", ar: "المفقودة" },
      about: {
        en: "Reading numbers that were skipped and have not come yet. A backlog on its way shows here, too.",
        ar: "أرقام قراءات تُخطيت ولم تصل بعد. يظهر هنا أيضاً المتراكم الذي في الطريق.",
      },
      unit: "{reading}",
      counts: true,
      limits: [
        [null, good],
        [1, watch],
      ],
      queries: [
        {
          influxql: `SELECT sum("missing") AS "missing" FROM (SELECT last("missing") AS "missing" FROM ${ledger} WHERE ${recent} AND ${gateways} GROUP BY "agency", "gateway")`,
          as: "time_series",
        },
      ],
    }),
    states({
      id: 5,
      at: [0, 4, 24, 8],
      title: { en: "Connection", ar: "الاتصال" },
      about: {
        en: "When each gateway was connected. Many that fall together are a network; one that flaps is a modem.",
        ar: "متى كانت كل بوابة متصلة. سقوط عدة بوابات معاً يعني شبكة، وتذبذب واحدة يعني جهاز الاتصال فيها.",
      },
      words: connectedWords,
      interval: "1m",
      queries: [
        {
          influxql: `SELECT last("connected") AS "connected" FROM ${ledger} WHERE $timeFilter AND ${gateways} GROUP BY time($__interval), "gateway" fill(none)`,
          as: "time_series",
          alias: "$tag_gateway",
        },
      ],
    }),
    rows({
      id: 6,
      at: [0, 12, 24, 10],
      title: { en: "Ledger", ar: "السجل" },
      about: {
        en: "Sent is stored and duplicate and refused and on its way: waiting, in the journal, or missing.",
        ar: "المرسل = المخزن + المكرر + المرفوض + ما في الطريق: منتظر أو في السجل المؤقت أو مفقود.",
      },
      columns: [
        { field: "agency", title: { en: "Agency", ar: "الجهة" } },
        { field: "gateway", title: { en: "Gateway", ar: "البوابة" } },
        {
          field: "connected",
          title: { en: "Connection", ar: "الاتصال" },
          words: connectedWords,
          colored: true,
        },
        {
          field: "silent_s",
          title: { en: "Silent for", ar: "صامتة منذ" },
          unit: "s",
          decimals: 0,
          limits: [
            [null, good],
            [60, watch],
            [silence, bad],
          ],
          colored: true,
        },
        { field: "sensors", title: { en: "Sensors", ar: "المستشعرات" }, unit: "1" },
        { field: "sent", title: { en: "Sent", ar: "المرسلة" }, unit: "1" },
        { field: "stored", title: { en: "Stored", ar: "المخزنة" }, unit: "1" },
        { field: "duplicate", title: { en: "Duplicate", ar: "المكررة" }, unit: "1" },
        { field: "refused", title: { en: "Refused", ar: "المرفوضة" }, unit: "1" },
        { field: "waiting", title: { en: "Waiting", ar: "المنتظرة" }, unit: "1" },
        { field: "journal", title: { en: "In the journal", ar: "في السجل المؤقت" }, unit: "1" },
        {
          field: "missing",
          title: { en: "Missing", ar: "المفقودة" },
          unit: "1",
          limits: [
            [null, good],
            [1, watch],
          ],
          colored: true,
        },
      ],
      hidden: ["Time"],
      sortBy: { field: "silent_s", descending: true },
      queries: [
        {
          influxql: `SELECT ${["connected", "silent_s", "sensors", "sent", "stored", "duplicate", "refused", "waiting", "journal", "missing"].map((field) => `last("${field}") AS "${field}"`).join(", ")} FROM ${ledger} WHERE ${recent} AND ${gateways} GROUP BY "agency", "gateway"`,
          as: "table",
        },
      ],
    }),
    lines({
      id: 7,
      at: [0, 22, 8, 8],
      title: { en: "Backlog", ar: "القراءات المتراكمة" },
      about: {
        en: "Readings that wait on a gateway's own disk. It rises while a link is cut and must fall afterwards.",
        ar: "قراءات تنتظر على قرص البوابة. ترتفع أثناء انقطاع الاتصال ويجب أن تنخفض بعده.",
      },
      unit: "{reading}",
      min: 0,
      many: true,
      queries: [
        {
          influxql: overTime({
            measurement: "gateway_health",
            select: `max(${rolledUp("gateway_health", "backlog", "max")}) AS "backlog"`,
            where: itself,
            by: ["sensor"],
          }),
          as: "time_series",
          alias: "$tag_sensor",
        },
      ],
    }),
    lines({
      id: 8,
      at: [8, 22, 8, 8],
      title: { en: "Clock skew", ar: "انحراف الساعة" },
      about: {
        en: "A gateway's clock against the platform's. Beyond the dashed lines its readings get wrong times.",
        ar: "ساعة البوابة مقابل ساعة المنصة. خارج الخطين المتقطعين تأخذ قراءاتها أوقاتاً خاطئة.",
      },
      unit: unitOf("gateway_health", "clock_skew"),
      limits: outside(limitsOf("gateway_health", "clock_skew")),
      showLimits: true,
      many: true,
      queries: [
        {
          influxql: overTime({
            measurement: "gateway_health",
            select: `mean(${rolledUp("gateway_health", "clock_skew", "mean")}) AS "skew"`,
            where: itself,
            by: ["sensor"],
          }),
          as: "time_series",
          alias: "$tag_sensor",
        },
      ],
    }),
    lines({
      id: 9,
      at: [16, 22, 8, 8],
      title: { en: "Free disk", ar: "المساحة الحرة" },
      about: {
        en: "A gateway without disk keeps nothing while its link is cut.",
        ar: "البوابة التي لا مساحة لديها لا تحفظ شيئاً أثناء انقطاع اتصالها.",
      },
      unit: unitOf("gateway_health", "disk_free"),
      min: 0,
      max: 100,
      limits: outside(limitsOf("gateway_health", "disk_free")),
      showLimits: true,
      many: true,
      queries: [
        {
          influxql: overTime({
            measurement: "gateway_health",
            select: `min(${rolledUp("gateway_health", "disk_free", "min")}) AS "free"`,
            where: itself,
            by: ["sensor"],
          }),
          as: "time_series",
          alias: "$tag_sensor",
        },
      ],
    }),
  ],
};
