import { alertRuleFile, contactPointFile, policyFile } from "./alerts.ts";
import { languages } from "./language.ts";
import { dataSource } from "./queries.ts";

/** Where Grafana finds the boards' JSON: as `deploy/compose.yaml` mounts it. */
const boardsFolder = "/var/lib/marsad/dashboards";
const folders: Readonly<Record<(typeof languages)[number], { title: string; uid: string }>> = {
  en: { title: "Marsad", uid: "marsad-en" },
  ar: { title: "مرصد", uid: "marsad-ar" },
};

/**
 * The data source; what differs between installations comes from Grafana's environment: `MARSAD_QUERY_URL`, `MARSAD_QUERY_DB`, and
 * `MARSAD_QUERY_AUTHORIZATION`, which is `Token …`, of an InfluxDB 2 or of `marsad token add grafana --role viewer`.
 */
function dataSourceFile(): object {
  return {
    apiVersion: 1,
    datasources: [
      {
        name: "Marsad",
        uid: "marsad",
        type: dataSource.type,
        access: "proxy",
        url: "$MARSAD_QUERY_URL",
        isDefault: true,
        editable: false,
        jsonData: {
          version: "InfluxQL",
          dbName: "$MARSAD_QUERY_DB",
          // Longer than a URL may be.
          httpMode: "POST",
          httpHeaderName1: "Authorization",
          timeInterval: "10s",
        },
        secureJsonData: { httpHeaderValue1: "$MARSAD_QUERY_AUTHORIZATION" },
      },
    ],
  };
}

/** A folder a language; Grafana looks for changed files twice a minute. */
function boardsFile(): object {
  return {
    apiVersion: 1,
    providers: languages.map((language) => ({
      name: `marsad-${language}`,
      orgId: 1,
      folder: folders[language].title,
      folderUid: folders[language].uid,
      type: "file",
      disableDeletion: true,
      allowUiUpdates: false,
      updateIntervalSeconds: 30,
      options: { path: `${boardsFolder}/${language}` },
    })),
  };
}

/** Grafana's provisioning, by path below `deploy/grafana/provisioning/`. */
export function provisioningFiles(): ReadonlyMap<string, object> {
  return new Map([
    ["datasources/marsad.yaml", dataSourceFile()],
    ["dashboards/marsad.yaml", boardsFile()],
    ["alerting/rules.yaml", alertRuleFile()],
    ["alerting/contact-points.yaml", contactPointFile()],
    ["alerting/policies.yaml", policyFile()],
  ]);
}
