import { indicators } from "#telemetry/goals.ts";
import type { Board } from "../board.ts";
import { lines, note, numbers, ofTheCell, rows, states } from "../panels.ts";
import { before, chosen, cityTime, result } from "../queries.ts";
import { bad, calm, good, placeWords, verdictWords, watch } from "../style.ts";
import { moment, share } from "../units.ts";
import { commodityWords, goalNames, goalWords, goalsHold, indicatorWords, worstByGoal } from "./asked.ts";

const kpi = result("kpi");
const inMunicipality = chosen("municipality");
/** A verdict holds until the next one, at most this long. */
const verdictHolds = 45 * 86_400_000;

export const goalsBoard: Board = {
  name: "goals",
  title: { en: "Strategic goals", ar: "الأهداف الاستراتيجية" },
  about: {
    en: "For the leadership and its planners: is the city on its way to each goal, which indicator holds it back, and will it arrive by the date. Money and attention go to what is off track and would still be reached; a target that is out of reach has to be said so in time.",
    ar: "للقيادة والمخططين: هل تسير المدينة نحو كل هدف، وأي مؤشر يعيقه، وهل تصل في الموعد. يُوجَّه المال والاهتمام إلى ما خرج عن المسار ولا يزال بلوغه ممكناً، ويُصارَح في حينه بما لم يعد ممكناً.",
  },
  time: { from: "now-90d", to: "now" },
  refresh: "15m",
  variables: [
    "place",
    {
      name: "indicator",
      label: { en: "Indicator", ar: "المؤشر" },
      options: Object.fromEntries(Object.entries(indicators).map(([id, { title }]) => [id, title])),
    },
  ],
  panels: [
    numbers({
      id: 1,
      at: [0, 0, 24, 4],
      title: { en: "Are we on track?", ar: "هل نحن على المسار؟" },
      about: {
        en: "The worst verdict among each goal's indicators. Grey: too few readings to say.",
        ar: "أسوأ تقييم بين مؤشرات كل هدف. الرمادي: القراءات لا تكفي للحكم.",
      },
      unit: "1",
      tile: true,
      words: verdictWords,
      names: goalNames,
      queries: [{ influxql: worstByGoal, as: "time_series", alias: "$tag_goal" }],
    }),
    rows({
      id: 2,
      at: [0, 4, 24, 11],
      title: { en: "Indicators", ar: "المؤشرات" },
      about: {
        en: "The newest value of each, what it should be, and how it moves. Units stand with the names. A value without enough coverage is left out, not guessed.",
        ar: "أحدث قيمة لكل مؤشر، وما ينبغي أن تكون، وكيف تتحرك. الوحدات مع الأسماء. القيمة التي لا تكفي تغطيتها تُترك ولا تُخمَّن.",
      },
      columns: [
        { field: "goal", title: { en: "Goal", ar: "الهدف" }, words: goalWords },
        { field: "indicator", title: { en: "Indicator", ar: "المؤشر" }, words: indicatorWords, width: 260 },
        {
          field: "municipality",
          title: { en: "Municipality", ar: "البلدية" },
          words: placeWords,
          link: {
            title: { en: "This municipality", ar: "هذه البلدية" },
            board: "goals",
            query: ofTheCell("municipality"),
          },
        },
        { field: "subject", title: { en: "Of", ar: "لـ" }, words: commodityWords },
        { field: "value", title: { en: "Value", ar: "القيمة" }, unit: "1", decimals: 2 },
        { field: "target", title: { en: "Target", ar: "المستهدف" }, unit: "1", decimals: 2 },
        { field: "baseline", title: { en: "Baseline", ar: "خط الأساس" }, unit: "1", decimals: 2 },
        { field: "trend", title: { en: "Trend a year", ar: "الاتجاه سنوياً" }, unit: "1", decimals: 2 },
        { field: "forecast", title: { en: "At the date", ar: "في الموعد" }, unit: "1", decimals: 2 },
        {
          field: "probability",
          title: { en: "Will we make it?", ar: "هل سنحققه؟" },
          unit: share,
          decimals: 0,
          limits: [
            [null, bad],
            [0.4, watch],
            [0.7, good],
          ],
          colored: true,
        },
        { field: "coverage", title: { en: "Coverage", ar: "التغطية" }, unit: share, decimals: 0 },
        { field: "verdict", title: { en: "Verdict", ar: "التقييم" }, words: verdictWords, colored: true },
        { field: "Time", title: { en: "As of", ar: "حتى" }, unit: moment, width: 150 },
      ],
      sortBy: { field: "verdict", descending: true },
      queries: [
        {
          influxql: `SELECT last("verdict_code") AS "verdict", "value", "target", "baseline", "trend", "forecast", "probability", "coverage" FROM ${kpi} WHERE ${before(goalsHold)} AND ${inMunicipality} GROUP BY "goal", "indicator", "municipality", "subject"`,
          as: "table",
        },
      ],
    }),
    lines({
      id: 3,
      at: [0, 15, 14, 9],
      title: { en: "$indicator: value and target", ar: "$indicator: القيمة والمستهدف" },
      about: {
        en: "The chosen indicator, mean of the chosen municipalities; dashed is the target.",
        ar: "المؤشر المختار، متوسط البلديات المختارة؛ الخط المتقطع هو المستهدف.",
      },
      unit: "1",
      decimals: 2,
      bridge: verdictHolds,
      names: {
        value: { title: { en: "Value", ar: "القيمة" }, color: calm.blue },
        target: { title: { en: "Target", ar: "المستهدف" }, color: calm.grey, line: "dashed" },
      },
      queries: [
        {
          influxql: `SELECT mean("value") AS "value", mean("target") AS "target" FROM ${kpi} WHERE $timeFilter AND "indicator" = '$indicator' AND ${inMunicipality} GROUP BY time(1d) fill(none) ${cityTime}`,
          as: "time_series",
          alias: "$col",
        },
      ],
    }),
    note({
      id: 4,
      at: [14, 15, 10, 9],
      title: { en: "How to read a verdict", ar: "كيف يُقرأ التقييم" },
      about: { en: "What the words mean.", ar: "ما تعنيه الكلمات." },
      words: {
        en: "<p><b>On track</b>: at the present trend the target is reached by its date.</p><p><b>At risk</b>: it may be missed; the probability says how likely it is reached.</p><p><b>Off track</b>: it is missed unless the trend changes.</p><p><b>Insufficient data</b>: coverage is below what the indicator asks for. Look at Gateways and at data quality on Platform first.</p><p>Road deaths and injuries cannot be computed from this telemetry, and no number here stands for them.</p>",
        ar: "<p><b>على المسار</b>: بالاتجاه الحالي يتحقق المستهدف في موعده.</p><p><b>معرّض للخطر</b>: قد لا يتحقق؛ والاحتمال يبين فرصة تحققه.</p><p><b>خارج المسار</b>: لن يتحقق ما لم يتغير الاتجاه.</p><p><b>بيانات غير كافية</b>: التغطية أقل مما يتطلبه المؤشر. يُنظر أولاً إلى لوحة البوابات وجودة البيانات في لوحة المنصة.</p><p>لا يمكن حساب وفيات الطرق وإصاباتها من هذه القياسات، ولا رقم هنا يمثلها.</p>",
      },
    }),
    states({
      id: 5,
      at: [0, 24, 24, 11],
      title: { en: "Verdicts over time", ar: "التقييمات عبر الزمن" },
      about: {
        en: "The worst verdict of each indicator, day by day: what has turned, and when.",
        ar: "أسوأ تقييم لكل مؤشر يوماً بيوم: ما الذي تحوّل ومتى.",
      },
      words: verdictWords,
      holds: verdictHolds,
      names: Object.fromEntries(Object.entries(indicators).map(([id, { title }]) => [id, { title }])),
      queries: [
        {
          influxql: `SELECT max("verdict_code") AS "verdict" FROM ${kpi} WHERE $timeFilter AND ${inMunicipality} GROUP BY time(1d), "indicator" fill(none) ${cityTime}`,
          as: "time_series",
          alias: "$tag_indicator",
        },
      ],
    }),
  ],
};
