/** Measurements that the platform's own jobs write; `results.ts` says what is in them. */
export const resultNames = [
  "anomaly",
  "forecast",
  "forecast_accuracy",
  "kpi",
  "alert",
  "quality",
  "gateway_ledger",
  "platform_queue",
  "platform_rate",
  "rollup_choice",
  "place",
] as const;
export type ResultName = (typeof resultNames)[number];
