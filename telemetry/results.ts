import type { ResultName } from "./result-names.ts";

/** A measurement that the platform's jobs write: its tags and fields, for whoever writes, queries or draws it. */
export interface ResultMeasurement {
  readonly name: ResultName;
  readonly title: { readonly en: string; readonly ar: string };
  /** Tag keys; a tag that does not apply is left out. */
  readonly tags: readonly string[];
  readonly fields: readonly ResultFieldMeaning[];
}

export interface ResultFieldMeaning {
  readonly name: string;
  readonly type: "float" | "integer" | "boolean" | "string";
  /** UCUM; undefined: text, or the unit of what the row is about. */
  readonly unit?: string;
  readonly title: { readonly en: string; readonly ar: string };
}

const of = ["measurement", "field", "agency", "sensor", "municipality", "district"] as const;

/** Verdicts of a goal's indicator as `kpi.verdict_code`, by their number. */
export const verdicts = ["insufficient data", "on track", "at risk", "off track"] as const;
/** States of an alert as `alert.state_code`. */
export const alertStates = ["open", "acknowledged", "cleared"] as const;
export const severities = ["info", "minor", "major", "critical"] as const;

export const results: readonly ResultMeasurement[] = [
  {
    name: "forecast",
    title: { en: "Forecasts", ar: "التوقعات" },
    tags: [...of, "lead"],
    fields: [
      { name: "mean", type: "float", title: { en: "Forecast", ar: "المتوقع" } },
      { name: "lo_80", type: "float", title: { en: "80 % from", ar: "٨٠٪ من" } },
      { name: "hi_80", type: "float", title: { en: "80 % to", ar: "٨٠٪ إلى" } },
      { name: "lo_95", type: "float", title: { en: "95 % from", ar: "٩٥٪ من" } },
      { name: "hi_95", type: "float", title: { en: "95 % to", ar: "٩٥٪ إلى" } },
      { name: "issued", type: "integer", unit: "ms", title: { en: "Issued", ar: "صدر في" } },
    ],
  },
  {
    name: "forecast_accuracy",
    title: { en: "Forecast accuracy", ar: "دقة التوقعات" },
    tags: [...of, "lead"],
    fields: [
      { name: "error", type: "float", title: { en: "Error", ar: "الخطأ" } },
      { name: "mase", type: "float", unit: "1", title: { en: "Scaled error", ar: "الخطأ النسبي" } },
      { name: "covered_80", type: "float", unit: "1", title: { en: "Inside 80 %", ar: "ضمن ٨٠٪" } },
      { name: "covered_95", type: "float", unit: "1", title: { en: "Inside 95 %", ar: "ضمن ٩٥٪" } },
    ],
  },
  {
    name: "anomaly",
    title: { en: "Anomalies", ar: "حالات شاذة" },
    tags: [...of, "kind"],
    fields: [
      { name: "score", type: "float", unit: "1", title: { en: "Score", ar: "الدرجة" } },
      { name: "observed", type: "float", title: { en: "Observed", ar: "المرصود" } },
      { name: "expected", type: "float", title: { en: "Expected", ar: "المتوقع" } },
      { name: "since", type: "integer", unit: "ms", title: { en: "Since", ar: "منذ" } },
      { name: "reason_en", type: "string", title: { en: "Reason", ar: "السبب (إنجليزي)" } },
      { name: "reason_ar", type: "string", title: { en: "Reason (Arabic)", ar: "السبب" } },
    ],
  },
  {
    name: "alert",
    title: { en: "Alerts", ar: "التنبيهات" },
    tags: ["alert", "severity", "kind", "domain", "agency", "municipality", "district"],
    fields: [
      { name: "state", type: "string", title: { en: "State", ar: "الحالة" } },
      { name: "state_code", type: "integer", unit: "1", title: { en: "State", ar: "الحالة" } },
      { name: "severity_code", type: "integer", unit: "1", title: { en: "Severity", ar: "الخطورة" } },
      { name: "title_en", type: "string", title: { en: "Alert", ar: "التنبيه (إنجليزي)" } },
      { name: "title_ar", type: "string", title: { en: "Alert (Arabic)", ar: "التنبيه" } },
      { name: "text_en", type: "string", title: { en: "What happened", ar: "ما حدث (إنجليزي)" } },
      { name: "text_ar", type: "string", title: { en: "What happened (Arabic)", ar: "ما حدث" } },
      { name: "by", type: "string", title: { en: "By", ar: "بواسطة" } },
      { name: "note", type: "string", title: { en: "Note", ar: "ملاحظة" } },
    ],
  },
  {
    name: "kpi",
    title: { en: "Indicators", ar: "المؤشرات" },
    // `subject`: a commodity, corridor or district meter area, where an indicator is kept for each.
    tags: ["goal", "indicator", "period", "municipality", "subject"],
    fields: [
      { name: "value", type: "float", title: { en: "Value", ar: "القيمة" } },
      { name: "target", type: "float", title: { en: "Target", ar: "المستهدف" } },
      { name: "baseline", type: "float", title: { en: "Baseline", ar: "خط الأساس" } },
      { name: "coverage", type: "float", unit: "1", title: { en: "Coverage", ar: "التغطية" } },
      { name: "trend", type: "float", title: { en: "Trend a year", ar: "الاتجاه سنوياً" } },
      { name: "forecast", type: "float", title: { en: "At the target date", ar: "عند موعد الهدف" } },
      {
        name: "probability",
        type: "float",
        unit: "1",
        title: { en: "Will we make it?", ar: "هل سنحقق الهدف؟" },
      },
      { name: "verdict", type: "string", title: { en: "Verdict", ar: "التقييم" } },
      { name: "verdict_code", type: "integer", unit: "1", title: { en: "Verdict", ar: "التقييم" } },
    ],
  },
  {
    name: "quality",
    title: { en: "Data quality", ar: "جودة البيانات" },
    tags: ["measurement", "agency", "sensor", "municipality", "district"],
    fields: [
      { name: "score", type: "float", unit: "1", title: { en: "Quality", ar: "الجودة" } },
      { name: "completeness", type: "float", unit: "1", title: { en: "Completeness", ar: "الاكتمال" } },
      { name: "lateness", type: "float", unit: "1", title: { en: "On time", ar: "في الموعد" } },
      { name: "stuck", type: "float", unit: "1", title: { en: "Stuck", ar: "قيم عالقة" } },
      { name: "spikes", type: "float", unit: "1", title: { en: "Spikes", ar: "قفزات" } },
      { name: "out_of_range", type: "float", unit: "1", title: { en: "Out of range", ar: "خارج المدى" } },
    ],
  },
  {
    name: "gateway_ledger",
    title: { en: "Gateways' ledger", ar: "سجل البوابات" },
    tags: ["agency", "gateway"],
    fields: [
      { name: "connected", type: "boolean", title: { en: "Connected", ar: "متصلة" } },
      { name: "silent_s", type: "float", unit: "s", title: { en: "Silent for", ar: "صامتة منذ" } },
      { name: "sensors", type: "integer", unit: "1", title: { en: "Sensors", ar: "المستشعرات" } },
      { name: "sent", type: "integer", unit: "{reading}", title: { en: "Sent", ar: "المرسلة" } },
      { name: "stored", type: "integer", unit: "{reading}", title: { en: "Stored", ar: "المخزنة" } },
      { name: "duplicate", type: "integer", unit: "{reading}", title: { en: "Duplicate", ar: "المكررة" } },
      { name: "refused", type: "integer", unit: "{reading}", title: { en: "Refused", ar: "المرفوضة" } },
      { name: "waiting", type: "integer", unit: "{reading}", title: { en: "Waiting", ar: "المنتظرة" } },
      {
        name: "journal",
        type: "integer",
        unit: "{reading}",
        title: { en: "In the journal", ar: "في السجل المؤقت" },
      },
      { name: "missing", type: "integer", unit: "{reading}", title: { en: "Missing", ar: "المفقودة" } },
    ],
  },
  {
    name: "platform_queue",
    title: { en: "Queues", ar: "الطوابير" },
    tags: ["queue"],
    fields: [
      { name: "bytes", type: "float", unit: "By", title: { en: "In the queue", ar: "في الطابور" } },
      { name: "bound_bytes", type: "float", unit: "By", title: { en: "Bound", ar: "الحد" } },
      { name: "fill", type: "float", unit: "1", title: { en: "Fill", ar: "الامتلاء" } },
    ],
  },
  {
    name: "platform_rate",
    title: { en: "Platform", ar: "المنصة" },
    // `what`: received, stored, duplicate, refused, waiting; the seconds are of the last interval.
    tags: ["what"],
    fields: [
      { name: "per_s", type: "float", unit: "/s", title: { en: "Per second", ar: "في الثانية" } },
      { name: "total", type: "integer", unit: "1", title: { en: "Since the start", ar: "منذ البدء" } },
      { name: "p50_s", type: "float", unit: "s", title: { en: "Median time", ar: "الزمن الوسيط" } },
      { name: "p99_s", type: "float", unit: "s", title: { en: "99th percentile", ar: "المئين ٩٩" } },
    ],
  },
  {
    // One row a roll-up, at time 0: which of them a dashboard takes for a range of so many milliseconds.
    name: "rollup_choice",
    title: { en: "Which roll-up for which range", ar: "التجميع المناسب للمدى" },
    tags: ["policy"],
    fields: [
      { name: "rollup", type: "string", title: { en: "Roll-up", ar: "التجميع" } },
      { name: "from_ms", type: "integer", unit: "ms", title: { en: "Ranges from", ar: "مدى من" } },
      { name: "to_ms", type: "integer", unit: "ms", title: { en: "Ranges below", ar: "مدى أقل من" } },
    ],
  },
  {
    // One row a place, at time 0 (`place-rows.ts`): names and positions for whoever has only the store to ask, as Grafana has.
    name: "place",
    title: { en: "Places", ar: "الأماكن" },
    tags: ["municipality", "district"],
    fields: [
      { name: "name_en", type: "string", title: { en: "Name", ar: "الاسم (إنجليزي)" } },
      { name: "name_ar", type: "string", title: { en: "Name (Arabic)", ar: "الاسم" } },
      { name: "option_en", type: "string", title: { en: "Choice", ar: "الخيار (إنجليزي)" } },
      { name: "option_ar", type: "string", title: { en: "Choice (Arabic)", ar: "الخيار" } },
      { name: "longitude", type: "float", unit: "deg", title: { en: "Longitude", ar: "خط الطول" } },
      { name: "latitude", type: "float", unit: "deg", title: { en: "Latitude", ar: "دائرة العرض" } },
    ],
  },
];
