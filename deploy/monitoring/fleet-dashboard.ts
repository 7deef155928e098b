// The dashboard of all pods: what they cost, whether they serve, and why not. Pure.
import type { DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { lines, number, row, startDashboard, states, YES_NO } from "./panels.ts";

const PODS = 'namespace=~"$namespace"';
/** One series for each pod, whatever other labels its targets have. */
const each = (metric: string) => `max by (namespace, pod) (${metric}{${PODS}})`;
const PRICE = "vast_pod_instance_price_dollars_per_hour";
const CREDIT = `min(vast_pod_account_credit_dollars{${PODS}})`;
const increase = (metric: string, by: string, range = "$__rate_interval") =>
  `sum by (${by}) (increase(${metric}{${PODS}}[${range}]))`;
const quantile = (q: number, metric: string, by: string) =>
  `histogram_quantile(${q}, sum by (${by}) (rate(${metric}_bucket{${PODS}}[$__range])))`;

export function fleetDashboard(): DashboardBuilder {
  return startDashboard("vast-pod-fleet", "vast-pod: fleet", "All pods: serving, cost, and what goes wrong.")
    .withRow(row("Now"))
    .withPanel(number("Pods", "short", `count(${each("vast_pod_ready")})`))
    .withPanel(number("Serving", "short", `sum(${each("vast_pod_ready")})`))
    .withPanel(number("Instances", "short", `sum(${each("vast_pod_instances")})`, "Listed and not being destroyed."))
    .withPanel(number("Price per hour", "currencyUSD", `sum(${each(PRICE)})`))
    .withPanel(
      number("Cost of a day", "currencyUSD", cost("1d"), "An estimate: price x time as listed, without traffic."),
    )
    .withPanel(number("Cost of 30 days", "currencyUSD", cost("30d"), "As far back as Prometheus keeps the data."))
    .withPanel(number("Credit", "currencyUSD", CREDIT, "Of the account; read every ten minutes."))
    .withPanel(number("Credit lasts for", "h", `${CREDIT} / sum(${each(PRICE)})`, "At the price of now."))
    .withRow(row("Serving"))
    .withPanel(states("Serving, by pod", { "{{namespace}}/{{pod}}": each("vast_pod_ready") }, YES_NO))
    .withPanel(lines("Pods by state", "short", { "{{state}}": `sum by (state) (vast_pod_state{${PODS}})` }))
    .withPanel(lines("Pods by reason", "short", { "{{reason}}": `sum by (reason) (vast_pod_reason{${PODS}})` }))
    .withPanel(
      lines("Time until an instance serves", "s", {
        median: quantile(0.5, "vast_pod_time_to_ready_seconds", "le"),
        "95 %": quantile(0.95, "vast_pod_time_to_ready_seconds", "le"),
      }),
    )
    .withRow(row("Money"))
    .withPanel(
      lines("Price by pod", "currencyUSD", {
        "{{namespace}}/{{pod}}": each(PRICE),
      }),
    )
    .withPanel(
      lines(
        "Share that was paid while nothing was served",
        "percentunit",
        { "{{namespace}}": `${wasted("1d")} / (${cost("1d", "namespace")} > 0)` },
        "Of the last day.",
      ),
    )
    .withRow(row("Instances"))
    .withPanel(lines("Creates by outcome", "short", { "{{outcome}}": increase("vast_pod_creates_total", "outcome") }))
    .withPanel(lines("Destroys by reason", "short", { "{{reason}}": increase("vast_pod_destroys_total", "reason") }))
    .withPanel(lines("Bans by reason", "short", { "{{reason}}": increase("vast_pod_bans_total", "reason") }))
    .withPanel(
      lines("Why offers were excluded", "short", {
        "{{reason}}": `sum by (reason) (vast_pod_offers_excluded{${PODS}})`,
      }),
    )
    .withPanel(
      lines("Creates left in this hour", "short", {
        "{{namespace}}/{{pod}}": each("vast_pod_creates_budget_remaining"),
      }),
    )
    .withPanel(lines("Being destroyed", "short", { "{{namespace}}/{{pod}}": each("vast_pod_instances_terminating") }))
    .withRow(row("The API of Vast.ai"))
    .withPanel(lines("Calls by endpoint", "reqps", { "{{endpoint}}": rate("endpoint") }))
    .withPanel(
      lines("Share of refused and failed calls", "percentunit", {
        "{{outcome}}": `${rate("outcome", ',outcome!="ok"')} / scalar(sum(${rate("endpoint")}))`,
      }),
    )
    .withPanel(
      lines("Duration of calls, 95 %", "s", {
        "{{endpoint}}": quantile(0.95, "vast_pod_api_call_duration_seconds", "le, endpoint"),
      }),
    )
    .withPanel(
      lines("Programs by version", "short", {
        "{{program}} {{version}}": `count by (program, version) (vast_pod_build_info{${PODS}})`,
      }),
    );
}

function cost(range: string, by = ""): string {
  return increase("vast_pod_cost_dollars_total", by, range);
}

function wasted(range: string): string {
  return increase("vast_pod_wasted_dollars_total", "namespace", range);
}

function rate(by: string, more = ""): string {
  return `sum by (${by}) (rate(vast_pod_api_calls_total{${PODS}${more}}[$__rate_interval]))`;
}
