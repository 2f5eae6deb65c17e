import type { Board } from "../board.ts";
import { type Named, type Stat, bars, lines, numbers, rows } from "../panels.ts";
import { before, result } from "../queries.ts";
import { type Limit, bad, calm, good, watch } from "../style.ts";
import { share } from "../units.ts";
import { measurementWords } from "./asked.ts";

const rate = result("platform_rate");
const queue = result("platform_queue");
/** The platform reports on itself this often; no finer bucket has a row of everything. */
const interval = "1m";

const counted: Readonly<Record<string, Named>> = {
  received: { title: { en: "Received", ar: "المستلمة" }, color: calm.blue },
  stored: { title: { en: "Stored", ar: "المخزنة" }, color: calm.teal },
  duplicate: { title: { en: "Duplicate", ar: "المكررة" }, color: calm.grey },
  refused: { title: { en: "Refused", ar: "المرفوضة" }, color: calm.sand },
};
const timed: Readonly<Record<string, Named>> = {
  journal_commit: { title: { en: "Journal commit", ar: "تثبيت السجل المؤقت" }, color: calm.sand },
  store_write: { title: { en: "Store write", ar: "الكتابة في المخزن" }, color: calm.teal },
  http_request: { title: { en: "HTTP request", ar: "طلب HTTP" }, color: calm.blue },
};

/** Where readings and messages wait, as docs/metrics.md explains it. */
const queues: Readonly<Record<string, Named>> = {
  "ingest group": { title: { en: "Gathered for a commit", ar: "تُجمع للتثبيت" } },
  "ingest commit": { title: { en: "Being committed", ar: "قيد التثبيت" } },
  "ingest journal": { title: { en: "In the journal", ar: "في السجل المؤقت" } },
  "ingest waiting": { title: { en: "Of unknown sensors", ar: "من مستشعرات غير معروفة" } },
  "broker in_flight": { title: { en: "Not acknowledged yet", ar: "لم يُقَر بها بعد" } },
  "broker held": { title: { en: "Held at the door", ar: "محتجزة عند الباب" } },
  "broker offline": { title: { en: "For absent subscribers", ar: "لمشتركين غائبين" } },
  "broker publish": { title: { en: "To gateways", ar: "إلى البوابات" } },
  "broker copies": { title: { en: "Copies for subscribers", ar: "نسخ للمشتركين" } },
};

/** Of the last interval, by what (`received`, `store_write`, …). */
function lastRate(
  panel: Pick<Stat, "id" | "at" | "title" | "about" | "unit" | "limits" | "decimals" | "color">,
  what: string,
  field: "per_s" | "p99_s",
): ReturnType<typeof numbers> {
  return numbers({
    ...panel,
    curve: true,
    interval,
    queries: [
      {
        influxql: `SELECT mean("${field}") AS "value" FROM ${rate} WHERE $timeFilter AND "what" = '${what}' GROUP BY time($__interval) fill(none)`,
        as: "time_series",
      },
    ],
  });
}

function overIntervals(field: string, whats: Readonly<Record<string, Named>>): string {
  return `SELECT mean("${field}") AS "value" FROM ${rate} WHERE $timeFilter AND "what" =~ /^(${Object.keys(whats).join("|")})$/ GROUP BY time($__interval), "what" fill(none)`;
}

const fillLimits: readonly Limit[] = [
  [null, good],
  [0.6, watch],
  [0.85, bad],
];
const shareLimits: readonly Limit[] = [
  [null, bad],
  [0.9, watch],
  [0.98, good],
];

export const platform: Board = {
  name: "platform",
  title: { en: "Platform", ar: "المنصة" },
  about: {
    en: "For the engineers who run it: does it keep up, where does it wait, what does it refuse, and can the numbers on the other boards be trusted. A queue that fills names its slow side: journal first is the store, broker first is the disk.",
    ar: "للمهندسين الذين يشغلونها: هل تجاري ما يصل، وأين تنتظر، وماذا ترفض، وهل يمكن الوثوق بأرقام اللوحات الأخرى. الطابور الذي يمتلئ يدل على الجانب البطيء: السجل المؤقت أولاً يعني المخزن، والوسيط أولاً يعني القرص.",
  },
  time: { from: "now-6h", to: "now" },
  refresh: "10s",
  variables: [],
  alertsOf: ["platform"],
  panels: [
    lastRate(
      {
        id: 1,
        at: [0, 0, 6, 4],
        title: { en: "Received", ar: "المستلمة" },
        about: {
          en: "Readings a second that gateways send.",
          ar: "القراءات التي ترسلها البوابات في الثانية.",
        },
        unit: "{reading}/s",
        decimals: 0,
        color: calm.blue,
      },
      "received",
      "per_s",
    ),
    lastRate(
      {
        id: 2,
        at: [6, 0, 6, 4],
        title: { en: "Refused", ar: "المرفوضة" },
        about: {
          en: "Readings a second that are refused. `marsad deadletters list` says which and why.",
          ar: "القراءات المرفوضة في الثانية. يبين الأمر marsad deadletters list أيها ولماذا.",
        },
        unit: "{reading}/s",
        decimals: 2,
        limits: [
          [null, good],
          [0.01, watch],
          [10, bad],
        ],
      },
      "refused",
      "per_s",
    ),
    lastRate(
      {
        id: 3,
        at: [12, 0, 6, 4],
        title: { en: "Journal commit, 99 of 100", ar: "تثبيت السجل المؤقت، ٩٩ من ١٠٠" },
        about: {
          en: "A gateway waits this long for its acknowledgement, at most once in a hundred times longer.",
          ar: "مدة انتظار البوابة للإقرار، ولا تطول أكثر إلا مرة في المئة.",
        },
        unit: "s",
        decimals: 1,
        limits: [
          [null, good],
          [0.1, watch],
          [1, bad],
        ],
      },
      "journal_commit",
      "p99_s",
    ),
    lastRate(
      {
        id: 4,
        at: [18, 0, 6, 4],
        title: { en: "Store write, 99 of 100", ar: "الكتابة في المخزن، ٩٩ من ١٠٠" },
        about: {
          en: "How long the store takes for a batch.",
          ar: "المدة التي تستغرقها دفعة في المخزن.",
        },
        unit: "s",
        decimals: 1,
        limits: [
          [null, good],
          [1, watch],
          [5, bad],
        ],
      },
      "store_write",
      "p99_s",
    ),
    lines({
      id: 5,
      at: [0, 4, 12, 8],
      title: { en: "Readings a second", ar: "القراءات في الثانية" },
      about: {
        en: "Stored follows received; a gap between them is in the queues below.",
        ar: "المخزن يتبع المستلم؛ والفرق بينهما في الطوابير أدناه.",
      },
      unit: "{reading}/s",
      min: 0,
      interval,
      names: counted,
      queries: [{ influxql: overIntervals("per_s", counted), as: "time_series", alias: "$tag_what" }],
    }),
    lines({
      id: 6,
      at: [12, 4, 12, 8],
      title: { en: "Times, 99 of 100", ar: "الأزمنة، ٩٩ من ١٠٠" },
      about: {
        en: "99th percentile of each interval. All of them rising together is the disk.",
        ar: "المئين ٩٩ لكل فترة. ارتفاعها معاً يعني القرص.",
      },
      unit: "s",
      min: 0,
      interval,
      names: timed,
      queries: [{ influxql: overIntervals("p99_s", timed), as: "time_series", alias: "$tag_what" }],
    }),
    bars({
      id: 7,
      at: [0, 12, 12, 9],
      title: { en: "How full the queues are", ar: "امتلاء الطوابير" },
      about: {
        en: "Of their bounds. A full queue slows its senders down; it loses nothing.",
        ar: "نسبةً إلى حدودها. الطابور الممتلئ يبطئ مرسليه ولا يفقد شيئاً.",
      },
      unit: share,
      decimals: 0,
      min: 0,
      max: 1,
      limits: fillLimits,
      names: queues,
      queries: [
        {
          influxql: `SELECT last("fill") AS "fill" FROM ${queue} WHERE ${before("15m")} GROUP BY "queue"`,
          as: "time_series",
          alias: "$tag_queue",
        },
      ],
    }),
    lines({
      id: 8,
      at: [12, 12, 12, 9],
      title: { en: "In the queues", ar: "في الطوابير" },
      about: {
        en: "Bytes that wait. One that only rises will reach its bound: see which part behind it is slow.",
        ar: "البايتات المنتظرة. ما لا ينفك يرتفع سيبلغ حده: يُنظر أي جزء خلفه بطيء.",
      },
      unit: "By",
      min: 0,
      interval,
      many: true,
      names: queues,
      queries: [
        {
          influxql: `SELECT max("bytes") AS "bytes" FROM ${queue} WHERE $timeFilter GROUP BY time($__interval), "queue" fill(none)`,
          as: "time_series",
          alias: "$tag_queue",
        },
      ],
    }),
    rows({
      id: 9,
      at: [0, 21, 24, 9],
      title: { en: "Data quality", ar: "جودة البيانات" },
      about: {
        en: "Mean of the sensors of each measurement. The goals leave out what is not complete enough.",
        ar: "متوسط مستشعرات كل قياس. تستبعد الأهداف ما لا يكتمل بما يكفي.",
      },
      columns: [
        { field: "measurement", title: { en: "Measurement", ar: "القياس" }, words: measurementWords },
        {
          field: "score",
          title: { en: "Quality", ar: "الجودة" },
          unit: share,
          decimals: 1,
          limits: shareLimits,
          colored: true,
        },
        {
          field: "completeness",
          title: { en: "Complete", ar: "الاكتمال" },
          unit: share,
          decimals: 1,
          limits: shareLimits,
          colored: true,
        },
        { field: "lateness", title: { en: "On time", ar: "في الموعد" }, unit: share, decimals: 1 },
        { field: "stuck", title: { en: "Stuck", ar: "قيم عالقة" }, unit: share, decimals: 1 },
        { field: "spikes", title: { en: "Spikes", ar: "قفزات" }, unit: share, decimals: 2 },
        { field: "out_of_range", title: { en: "Out of range", ar: "خارج المدى" }, unit: share, decimals: 2 },
      ],
      hidden: ["Time"],
      sortBy: { field: "score", descending: false },
      queries: [
        {
          influxql: `SELECT ${["score", "completeness", "lateness", "stuck", "spikes", "out_of_range"].map((field) => `mean("${field}") AS "${field}"`).join(", ")} FROM ${result("quality")} WHERE ${before("2d")} GROUP BY "measurement"`,
          as: "table",
        },
      ],
    }),
  ],
};
