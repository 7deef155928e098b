// The dashboard of one pod: its states, its instance, and what nginx serves. Pure.
import type { DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { ACTIVE, labels, labelVariable, lines, number, row, startDashboard, states, YES_NO } from "./panels.ts";

const POD = 'namespace=~"$namespace",pod="$pod"';
const value = (metric: string) => `max(${metric}{${POD}})`;
const by = (label: string, metric: string) => `max by (${label}) (${metric}{${POD}})`;
const increase = (label: string, metric: string) => `sum by (${label}) (increase(${metric}{${POD}}[$__rate_interval]))`;
const quantile = (metric: string, label = "") =>
  `histogram_quantile(0.95, sum by (le${label}) (rate(${metric}_bucket{${POD}}[$__range])))`;

export function podDashboard(): DashboardBuilder {
  return startDashboard("vast-pod-pod", "vast-pod: one pod", "One pod: state, instance, probes, and nginx.")
    .withVariable(labelVariable("pod", 'label_values(vast_pod_ready{namespace=~"$namespace"}, pod)'))
    .withRow(row("Now"))
    .withPanel(number("Serving", "bool_yes_no", value("vast_pod_ready")))
    .withPanel(number("Price per hour", "currencyUSD", value("vast_pod_instance_price_dollars_per_hour")))
    .withPanel(number("Paid so far", "currencyUSD", value("vast_pod_cost_dollars_total"), ESTIMATE))
    .withPanel(number("Paid while it served nothing", "currencyUSD", value("vast_pod_wasted_dollars_total"), ESTIMATE))
    .withPanel(number("Age of the instance", "s", `time() - ${value("vast_pod_instance_start_timestamp_seconds")}`))
    .withPanel(number("Contract ends in", "s", `${value("vast_pod_instance_end_timestamp_seconds")} - time()`))
    .withPanel(number("Creates left in this hour", "short", value("vast_pod_creates_budget_remaining")))
    .withRow(row("State"))
    .withPanel(states("State", { "{{state}}": by("state", "vast_pod_state") }, ACTIVE))
    .withPanel(states("Reason", { "{{reason}}": by("reason", "vast_pod_reason") }, ACTIVE))
    .withPanel(
      states(
        "What works",
        {
          "Redis answers": value("vast_pod_redis_up"),
          "bans are known": value("vast_pod_bans_known"),
          "files can be written": value("vast_pod_files_writable"),
          "nginx is up": value("vast_pod_nginx_up"),
        },
        YES_NO,
      ),
    )
    .withPanel(
      lines("Age of what is known", "s", {
        "instance list": `time() - ${value("vast_pod_list_timestamp_seconds")}`,
        "upstream file": `time() - ${value("vast_pod_upstream_timestamp_seconds")}`,
        "pass of the provisioner": `time() - ${value("vast_pod_provisioner_last_pass_timestamp_seconds")}`,
        "pass of the reloader": `time() - ${value("vast_pod_reloader_last_pass_timestamp_seconds")}`,
      }),
    )
    .withRow(row("Instance"))
    .withPanel(labels("Instance", by("id, host, machine, gpu, image", "vast_pod_instance_info")))
    .withPanel(
      lines("Price and ceiling", "currencyUSD", {
        price: value("vast_pod_instance_price_dollars_per_hour"),
        VAST_MAX_DPH: value("vast_pod_price_ceiling_dollars_per_hour"),
      }),
    )
    .withPanel(
      lines("Instances", "short", {
        kept: value("vast_pod_instances"),
        "being destroyed": value("vast_pod_instances_terminating"),
      }),
    )
    .withPanel(
      lines("Probes by outcome", "short", { "{{outcome}}": increase("outcome", "vast_pod_probe_results_total") }),
    )
    .withPanel(lines("Destroys by reason", "short", { "{{reason}}": increase("reason", "vast_pod_destroys_total") }))
    .withRow(row("nginx"))
    .withPanel(
      lines("Wanted and served generation", "short", {
        wanted: value("vast_pod_desired_generation"),
        served: value("vast_pod_applied_generation"),
      }),
    )
    .withPanel(states("The desired config", { "{{state}}": by("state", "vast_pod_applied_state") }, ACTIVE))
    .withPanel(lines("Reloads by outcome", "short", { "{{outcome}}": increase("outcome", "vast_pod_reloads_total") }))
    .withPanel(
      lines("Duration of reloads, 95 %", "s", { "{{stage}}": quantile("vast_pod_reload_duration_seconds", ", stage") }),
    )
    .withPanel(lines("Client connections", "short", { "{{state}}": by("state", "vast_pod_nginx_connections") }))
    .withPanel(lines("Duration of passes, 95 %", "s", { provisioner: quantile("vast_pod_pass_duration_seconds") }));
}

const ESTIMATE = "An estimate: price x time as listed, without traffic.";
