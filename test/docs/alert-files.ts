// The forms in which the alert rules are shipped, made from deploy/monitoring/alerts.yaml. Reads that file.
import { readFile } from "node:fs/promises";
import { parse, stringify } from "yaml";
import { ROOT } from "./documents.ts";

const SOURCE = "deploy/monitoring/alerts.yaml";
const MADE = `# Made from ${SOURCE} by \`npm run docs\`.\n`;

/** Paths from the project's root, and what the files have to contain. */
export async function alertFiles(): Promise<ReadonlyMap<string, string>> {
  const { groups }: { groups: unknown } = parse(await readFile(`${ROOT}${SOURCE}`, "utf8"));
  const rule = {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name: "vast-pod" },
    spec: { groups },
  };
  // The chart's own way to rules: helm upgrade -f.
  const values = { serverFiles: { "alerting_rules.yml": { groups } } };
  return new Map([
    ["deploy/kubernetes/components/monitoring-operator/prometheusrule.yaml", yaml("", rule)],
    ["deploy/monitoring/helm-values.yaml", yaml("# Values for the chart prometheus-community/prometheus.\n", values)],
  ]);
}

function yaml(comment: string, content: unknown): string {
  return `${MADE}${comment}${stringify(content, { lineWidth: 120, aliasDuplicateObjects: false })}`;
}
