import type * as bargauge from "@grafana/grafana-foundation-sdk/bargauge";
import type * as common from "@grafana/grafana-foundation-sdk/common";
import type * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import type * as geomap from "@grafana/grafana-foundation-sdk/geomap";
import type * as stat from "@grafana/grafana-foundation-sdk/stat";
import type * as statetimeline from "@grafana/grafana-foundation-sdk/statetimeline";
import type * as table from "@grafana/grafana-foundation-sdk/table";
import type * as text from "@grafana/grafana-foundation-sdk/text";
import type * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";
import type { AlertTarget } from "./board.ts";
import type { InfluxDataquery } from "./queries.ts";

/**
 * A board as strictly as the SDK's types can say it: each kind of panel with its own options and field settings, every query one of InfluxDB's data
 * source. `schema.ts` makes `schema/dashboard.json` of it.
 */
export interface Board extends Omit<dashboard.Dashboard, "panels" | "annotations" | "templating"> {
  uid: string;
  title: string;
  description: string;
  schemaVersion: 42;
  panels: BoardPanel[];
  templating: { list: BoardVariable[] };
  annotations: { list: BoardAnnotation[] };
}

type BoardPanel =
  | Kind<"timeseries", timeseries.Options, timeseries.FieldConfig>
  | Kind<"stat", stat.Options>
  | Kind<"table", table.Options, common.TableFieldOptions>
  | Kind<"bargauge", bargauge.Options>
  | Kind<"state-timeline", statetimeline.Options, statetimeline.FieldConfig>
  | Kind<"geomap", geomap.Options>
  | TextPanel;

interface Kind<Type extends string, Options, Custom = never> extends Omit<
  dashboard.Panel,
  "type" | "id" | "title" | "description" | "gridPos" | "targets" | "options" | "fieldConfig"
> {
  type: Type;
  id: number;
  title: string;
  description: string;
  gridPos: dashboard.GridPos;
  targets: Json<InfluxDataquery>[];
  options: Partial<Options>;
  fieldConfig: {
    defaults: Omit<dashboard.FieldConfig, "custom"> & { custom?: Partial<Custom> };
    overrides: dashboard.FieldConfigSource["overrides"];
  };
}

interface TextPanel extends Omit<
  dashboard.Panel,
  "type" | "id" | "title" | "description" | "gridPos" | "options"
> {
  type: "text";
  id: number;
  title: string;
  description: string;
  gridPos: dashboard.GridPos;
  options: text.Options;
}

interface BoardVariable extends Omit<dashboard.VariableModel, "query"> {
  /** A data source's type, or what the data source's variable editor writes. */
  query: string | { refId: string; query: string };
}

interface BoardAnnotation extends Omit<dashboard.AnnotationQuery, "target"> {
  target: Json<AlertTarget>;
}

/** Without what JSON does not keep. */
type Json<Query> = Omit<Query, "_implementsDataqueryVariant">;
