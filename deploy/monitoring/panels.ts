// The kinds of panels that the dashboards have, with the defaults that all of them share. Pure.
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as timeline from "@grafana/grafana-foundation-sdk/statetimeline";
import * as table from "@grafana/grafana-foundation-sdk/table";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";

/** A query by the text of its legend; "" leaves it to Grafana. */
export type Queries = Readonly<Record<string, string>>;

export type PanelMaker = Builder<dashboard.Panel>;

/** What both dashboards begin with: the data source, and the namespaces of the pods. */
export function startDashboard(uid: string, title: string, description: string): dashboard.DashboardBuilder {
  return new dashboard.DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(["vast-pod"])
    .time({ from: "now-6h", to: "now" })
    .refresh("1m")
    .withVariable(new dashboard.DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"))
    .withVariable(labelVariable("namespace", "label_values(vast_pod_ready, namespace)").multi(true).includeAll(true));
}

/** A choice of the values of a label. */
export function labelVariable(name: string, query: string): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(name)
    .query(query)
    .datasource(SOURCE)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc);
}

export const row = (title: string) => new dashboard.RowBuilder(title);

/** One number, as it is now. */
export function number(title: string, unit: string, expr: string, description = ""): PanelMaker {
  const panel = new stat.PanelBuilder().title(title).unit(unit).height(4).span(4).datasource(SOURCE);
  return panel.description(description).withTarget(query(expr, "", 0).instant());
}

/** Lines over time. */
export function lines(title: string, unit: string, queries: Queries, description = ""): PanelMaker {
  const panel = new timeseries.PanelBuilder().title(title).unit(unit).height(8).span(12).datasource(SOURCE);
  return panel.description(description).fillOpacity(10).targets(targetsOf(queries));
}

/** Coloured bars over time, one for each series. `words`: what the values mean. */
export function states(title: string, queries: Queries, words: Readonly<Record<string, Word>>): PanelMaker {
  const panel = new timeline.PanelBuilder().title(title).height(8).span(12).datasource(SOURCE);
  const options = Object.fromEntries(Object.entries(words).map(([value, word], index) => [value, { ...word, index }]));
  return panel.mappings([{ type: "value", options } as dashboard.ValueMap]).targets(targetsOf(queries));
}

interface Word {
  text: string;
  color: string;
}
export const YES_NO = { 1: { text: "yes", color: "green" }, 0: { text: "no", color: "red" } };
export const ACTIVE = { 1: { text: "now", color: "blue" }, 0: { text: "", color: "transparent" } };

/** The labels of the newest series. */
export function labels(title: string, expr: string): PanelMaker {
  const panel = new table.PanelBuilder().title(title).height(8).span(24).datasource(SOURCE);
  const hidden = { excludeByName: { Time: true, Value: true } };
  return panel
    .withTransformation({ id: "organize", options: hidden })
    .withTarget(query(expr, "", 0).instant().format(prometheus.PromQueryFormat.Table));
}

const SOURCE = { type: "prometheus", uid: "$datasource" };

function query(expr: string, legend: string, index: number): prometheus.DataqueryBuilder {
  const target = new prometheus.DataqueryBuilder().expr(expr).refId(String.fromCharCode(65 + index));
  return legend === "" ? target : target.legendFormat(legend);
}

function targetsOf(queries: Queries): prometheus.DataqueryBuilder[] {
  return Object.entries(queries).map(([legend, expr], index) => query(expr, legend, index));
}
