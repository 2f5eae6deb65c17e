import type { NotificationPolicy, Rule } from "@grafana/grafana-foundation-sdk/alerting";
import { result } from "./queries.ts";
import { type Language, languages, type Text } from "./language.ts";

/**
 * A rule of Grafana's own alerting: one question, and the value from which it is an alert. The question bounds its time by itself and has no `$`: Grafana
 * fills in environment variables when it reads provisioning files.
 */
export interface AlertRule {
  readonly uid: string;
  readonly title: Text;
  readonly about: Text;
  readonly influxql: string;
  /** Seconds that the question looks back. */
  readonly looksBack: number;
  /** It fires for each series whose last value is above it … */
  readonly above: number;
  /** … for so long. */
  readonly lasts: string;
  readonly severity: "minor" | "major" | "critical";
  readonly domain: string;
  /** What follows from no answer at all. */
  readonly noData: Rule["noDataState"];
  /** Where to look. */
  readonly board: string;
  /** The panel on that board. */
  readonly panel: number;
}

const day = 86_400;

/** By what is evaluated how often. */
export const alertGroups: readonly {
  readonly name: string;
  readonly interval: string;
  readonly rules: readonly AlertRule[];
}[] = [
  {
    name: "gateways",
    interval: "1m",
    rules: [
      {
        uid: "marsad-gateway-silent",
        title: { en: "Gateway silent", ar: "بوابة صامتة" },
        about: {
          en: "{{ if .Labels.gateway }}{{ .Labels.gateway }} of {{ .Labels.agency }} has said nothing for five minutes. Its sensors are blind spots; what it measures waits on its disk.{{ else }}The platform reports on no gateway: it does not run, or none has ever spoken to it.{{ end }}",
          ar: "{{ if .Labels.gateway }}لم يُسمع من {{ .Labels.gateway }} التابعة لـ {{ .Labels.agency }} شيء منذ خمس دقائق. مستشعراتها لا تُرى، وقياساتها تنتظر على قرصها.{{ else }}لا تُبلغ المنصة عن أي بوابة: إما أنها لا تعمل، أو لم تتصل بها أي بوابة بعد.{{ end }}",
        },
        influxql: `SELECT last("silent_s") AS "silent" FROM ${result("gateway_ledger")} WHERE time > now() - 10m GROUP BY "agency", "gateway"`,
        looksBack: 600,
        above: 300,
        lasts: "1m",
        severity: "major",
        domain: "platform",
        // The platform reports on all gateways each minute: no report is the platform's silence.
        noData: "Alerting",
        board: "gateways",
        panel: 5,
      },
      {
        uid: "marsad-gateway-backlog",
        title: { en: "Backlog does not fall", ar: "تراكم لا ينخفض" },
        about: {
          en: "{{ .Labels.sensor }} has had more than 10,000 readings waiting for 15 minutes. Its link is too slow, or the platform acknowledges nothing.",
          ar: "لدى {{ .Labels.sensor }} أكثر من ١٠٬٠٠٠ قراءة منتظرة منذ ١٥ دقيقة. اتصالها بطيء أو المنصة لا تقر بشيء.",
        },
        influxql: `SELECT min("backlog") AS "backlog" FROM "gateway_health" WHERE time > now() - 15m GROUP BY "agency", "sensor"`,
        looksBack: 900,
        above: 10_000,
        lasts: "0s",
        severity: "major",
        domain: "platform",
        noData: "OK",
        board: "gateways",
        panel: 7,
      },
      {
        uid: "marsad-gateway-refusals",
        title: { en: "Readings refused", ar: "قراءات مرفوضة" },
        about: {
          en: "More than 100 readings of {{ .Labels.gateway }} were refused within 15 minutes. `marsad deadletters list` says why, and has them.",
          ar: "رُفضت أكثر من ١٠٠ قراءة من {{ .Labels.gateway }} خلال ١٥ دقيقة. يبين الأمر marsad deadletters list السبب ويحفظها.",
        },
        influxql: `SELECT spread("refused") AS "refused" FROM ${result("gateway_ledger")} WHERE time > now() - 15m GROUP BY "agency", "gateway"`,
        looksBack: 900,
        above: 100,
        lasts: "0s",
        severity: "minor",
        domain: "platform",
        noData: "OK",
        board: "gateways",
        panel: 3,
      },
    ],
  },
  {
    name: "goals",
    interval: "1h",
    rules: [
      {
        uid: "marsad-goal-off-track",
        title: { en: "Goal off track", ar: "هدف خارج المسار" },
        about: {
          en: "The indicator {{ .Labels.indicator }} of {{ .Labels.goal }} will miss its target at the present trend.",
          ar: "المؤشر {{ .Labels.indicator }} من {{ .Labels.goal }} لن يبلغ المستهدف بالاتجاه الحالي.",
        },
        influxql: `SELECT last("verdict_code") AS "verdict" FROM ${result("kpi")} WHERE time > now() - 45d GROUP BY "goal", "indicator", "municipality", "subject"`,
        looksBack: 45 * day,
        // 3 is off track.
        above: 2,
        lasts: "2h",
        severity: "major",
        domain: "goals",
        noData: "OK",
        board: "goals",
        panel: 2,
      },
    ],
  },
];

const ourSource = "marsad";
const expressions = "__expr__";

/** As Grafana reads it from a file: not as its API and the SDK have it. @param source  the data source's uid */
export function alertRuleFile(source: string = ourSource): object {
  return {
    apiVersion: 1,
    groups: alertGroups.map(({ name, interval, rules }) => ({
      orgId: 1,
      name,
      // Not a boards' folder: Grafana makes this one first, with a uid of its own.
      folder: "Marsad alerts",
      interval,
      rules: rules.map((rule) => provisioned(rule, source)),
    })),
  };
}

function provisioned(rule: AlertRule, source: string): object {
  const { uid, title, about, influxql, looksBack, above, lasts, severity, domain, noData, board, panel } =
    rule;
  return {
    uid,
    title: title.en,
    condition: "fires",
    data: [
      {
        refId: "value",
        relativeTimeRange: { from: looksBack, to: 0 },
        datasourceUid: source,
        model: {
          refId: "value",
          rawQuery: true,
          query: influxql,
          resultFormat: "time_series",
          intervalMs: 60_000,
          maxDataPoints: 1000,
        },
      },
      {
        refId: "last",
        relativeTimeRange: { from: 0, to: 0 },
        datasourceUid: expressions,
        model: {
          refId: "last",
          type: "reduce",
          expression: "value",
          reducer: "last",
          settings: { mode: "dropNN" },
        },
      },
      {
        refId: "fires",
        relativeTimeRange: { from: 0, to: 0 },
        datasourceUid: expressions,
        model: {
          refId: "fires",
          type: "threshold",
          expression: "last",
          conditions: [{ evaluator: { type: "gt", params: [above] } }],
        },
      },
    ],
    noDataState: noData,
    execErrState: "Error",
    for: lasts,
    isPaused: false,
    annotations: Object.fromEntries([
      // Grafana links an alert to its panel by these two.
      ["__dashboardUid__", `marsad-${board}-en`],
      ["__panelId__", String(panel)],
      ...languages.flatMap((language) => [
        [annotation("summary", language), title[language]],
        [annotation("description", language), about[language]],
      ]),
    ]),
    labels: { severity, domain },
  };
}

/** Grafana knows `summary` and `description`; those in other languages stand beside them. */
function annotation(name: string, language: Language): string {
  return language === "en" ? name : `${name}_${language}`;
}

const operators = "marsad-operators";

/** Whom Grafana tells. The address comes from Grafana's own environment. */
export function contactPointFile(): object {
  return {
    apiVersion: 1,
    contactPoints: [
      {
        orgId: 1,
        name: operators,
        receivers: [
          {
            uid: `${operators}-email`,
            type: "email",
            settings: { addresses: "$MARSAD_ALERT_EMAIL", singleEmail: true },
          },
        ],
      },
    ],
  };
}

/** What is told together, and how often again. */
export function policyFile(): object {
  const policy: NotificationPolicy = {
    receiver: operators,
    group_by: ["grafana_folder", "alertname"],
    group_wait: "30s",
    group_interval: "5m",
    repeat_interval: "4h",
    routes: [
      { receiver: operators, object_matchers: [["severity", "=", "critical"]], repeat_interval: "1h" },
      { receiver: operators, object_matchers: [["domain", "=", "goals"]], repeat_interval: "7d" },
    ],
  };
  return { apiVersion: 1, policies: [{ orgId: 1, ...policy }] };
}
