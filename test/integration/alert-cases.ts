// For each alert a situation in which it fires and one in which it must not. Pure data.

/** Series by their text, with the values of one minute after another, as promtool writes them. */
export type Series = Readonly<Record<string, string>>;

interface AlertCase {
  /** The minute at which the alert fires. */
  at: number;
  fires: Series;
  /** The labels of what fires, besides the severity. */
  labels: Readonly<Record<string, string>>;
  /** The same minute, and no alert. */
  silent: Series;
}

const POD = { namespace: "prod", pod: "vast-pod-0" };
// As the community chart's jobs label them: pods have labels of their own, and the Service's endpoints have no pod but the program's own.
const PROVISIONER =
  'job="kubernetes-pods",instance="10.0.0.7:8080",app_kubernetes_io_name="vast-pod",namespace="prod",pod="vast-pod-0"';
const RELOADER =
  'job="kubernetes-service-endpoints",instance="10.0.0.7:8081",service="vast-pod-metrics",namespace="prod",pod="vast-pod-0"';
const KUBERNETES = 'job="kube-state-metrics",instance="10.0.0.2:8080",namespace="prod"';

const one = (metric: string, values: string, labels = PROVISIONER): Series => ({
  [metric.includes("{") ? metric.replace("{", `{${labels},`) : `${metric}{${labels}}`]: values,
});
const all = (...series: Series[]): Series => Object.assign({}, ...series);
/** A value that stays, once a minute for four hours. */
const steady = (value: number | string) => `${value}x240`;
const rising = (start: number, perMinute: number, minutes = 240) => `${start}+${perMinute}x${minutes}`;

const READY = one("vast_pod_ready", steady(1));
const NOT_READY = one("vast_pod_ready", steady(0));
const PRICE = "vast_pod_instance_price_dollars_per_hour";

export const ALERT_CASES: Readonly<Record<string, AlertCase>> = {
  VastPodNotReady: {
    at: 31,
    fires: NOT_READY,
    labels: POD,
    // It was ready for a minute in between.
    silent: one("vast_pod_ready", "0x20 1 0x220"),
  },
  VastPodBlocked: {
    at: 6,
    fires: one('vast_pod_state{state="blocked"}', steady(1)),
    labels: POD,
    silent: all(one('vast_pod_state{state="blocked"}', steady(0)), one('vast_pod_state{state="ready"}', steady(1))),
  },
  // Every 20 minutes another instance with another id, and a gap of some minutes without any between them.
  VastPodPaidNotServing: {
    at: 100,
    fires: all(NOT_READY, one(PRICE, "0.3x17 _x3 0.25x17 _x3 0.3x17 _x3 0.28x17 _x3 0.3x17 _x3 0.25x17")),
    labels: POD,
    silent: all(one("vast_pod_ready", "0x40 1x200"), one(PRICE, steady(0.3))),
  },
  VastPodWaste: {
    at: 240,
    fires: all(
      one("vast_pod_cost_dollars_total", rising(0, 0.01)),
      one("vast_pod_wasted_dollars_total", rising(0, 0.005)),
    ),
    labels: POD,
    // A slow start is a small part of the day's cost.
    silent: all(
      one("vast_pod_cost_dollars_total", rising(0, 0.05)),
      one("vast_pod_wasted_dollars_total", rising(0, 0.005)),
    ),
  },
  // Two pods for a dollar an hour together: 20 dollars last 20 hours.
  VastPodCreditLow: {
    at: 20,
    fires: all(
      one("vast_pod_account_credit_dollars", steady(20)),
      one(PRICE, steady(0.5)),
      one(PRICE, steady(0.5), PROVISIONER.replaceAll("pod-0", "pod-1")),
    ),
    labels: {},
    silent: all(one("vast_pod_account_credit_dollars", steady(20)), one(PRICE, steady(0.5))),
  },
  VastPodPriceIncrease: {
    at: 1,
    fires: one("vast_pod_instance_pending_price_dollars_per_hour", steady(0.5)),
    labels: POD,
    // The increase was for the instance before.
    silent: all(one("vast_pod_instance_pending_price_dollars_per_hour", "0.5 stale"), one(PRICE, steady(0.3))),
  },
  VastPodPriceAboveCeiling: {
    at: 6,
    fires: all(one(PRICE, steady(0.6)), one("vast_pod_price_ceiling_dollars_per_hour", steady(0.5))),
    labels: POD,
    silent: all(one(PRICE, steady(0.5)), one("vast_pod_price_ceiling_dollars_per_hour", steady(0.5))),
  },
  // Since 22 hours before the series begin.
  VastPodOnDemandForLong: {
    at: 140,
    fires: one("vast_pod_bid_fallback_timestamp_seconds", steady(-22 * 3600)),
    labels: POD,
    // It was back to a bid in between.
    silent: one("vast_pod_bid_fallback_timestamp_seconds", `${-22 * 3600}x60 stale _x10 4200x169`),
  },
  VastPodBidsFail: {
    at: 200,
    fires: one("vast_pod_bid_fallbacks_total", "0x20 1x60 2x60 3x100"),
    labels: POD,
    silent: one("vast_pod_bid_fallbacks_total", "0x20 1x60 2x160"),
  },
  VastPodContractEnds: {
    at: 70,
    fires: one("vast_pod_instance_end_timestamp_seconds", steady(25 * 3600)),
    labels: POD,
    silent: one("vast_pod_instance_end_timestamp_seconds", steady(30 * 3600)),
  },
  VastPodContractNotReplaced: {
    at: 58,
    fires: all(one("vast_pod_instance_end_timestamp_seconds", steady(3600)), one("vast_pod_ready", steady(1))),
    labels: POD,
    silent: all(one("vast_pod_instance_end_timestamp_seconds", steady(2 * 3600)), one("vast_pod_ready", steady(1))),
  },
  VastPodTwoInstances: {
    at: 26,
    fires: one("vast_pod_instances", steady(2)),
    labels: POD,
    // The longest surge with the default settings.
    silent: one("vast_pod_instances", "1x10 2x21 1x209"),
  },
  VastPodDestroyLingers: {
    at: 16,
    fires: one("vast_pod_instances_terminating", steady(1)),
    labels: POD,
    silent: one("vast_pod_instances_terminating", "1x10 0 1x229"),
  },
  VastPodKeyRejected: {
    at: 3,
    fires: one('vast_pod_reason{reason="account_auth"}', steady(1)),
    labels: POD,
    silent: one('vast_pod_reason{reason="account_no_credit"}', steady(1)),
  },
  VastPodCreateBudgetSpent: {
    at: 6,
    fires: all(NOT_READY, one("vast_pod_creates_budget_remaining", steady(0))),
    labels: POD,
    // The last create of the hour was a success.
    silent: all(READY, one("vast_pod_creates_budget_remaining", steady(0))),
  },
  VastPodManyBans: {
    at: 240,
    fires: all(
      one('vast_pod_bans_total{kind="host",reason="start_timeout"}', "0x20 1x20 2x20 3x180"),
      one('vast_pod_bans_total{kind="host",reason="host_failed"}', "0x20 1x20 2x20 3x180"),
    ),
    labels: POD,
    silent: one('vast_pod_bans_total{kind="host",reason="start_timeout"}', "0x20 1x20 2x200"),
  },
  VastPodVolumeNotWritable: {
    at: 2,
    fires: one("vast_pod_files_writable", steady(0)),
    labels: POD,
    silent: one("vast_pod_files_writable", steady(1)),
  },
  VastPodApiUnknown: {
    at: 16,
    fires: one("vast_pod_list_timestamp_seconds", steady(0)),
    labels: POD,
    silent: one("vast_pod_list_timestamp_seconds", rising(0, 60)),
  },
  VastPodRedisDown: {
    at: 16,
    fires: one("vast_pod_redis_up", steady(0)),
    labels: POD,
    silent: one("vast_pod_redis_up", "0x10 1x230"),
  },
  VastPodConfigRefused: {
    at: 2,
    fires: one("vast_pod_config_refused", steady(1), RELOADER),
    labels: POD,
    silent: one("vast_pod_config_refused", steady(0), RELOADER),
  },
  VastPodReloaderBehind: {
    at: 6,
    fires: one("vast_pod_reloader_problem", steady(1), RELOADER),
    labels: POD,
    silent: one("vast_pod_reloader_problem", "1x3 0 1x236", RELOADER),
  },
  VastPodProvisionerSilent: {
    at: 7,
    fires: one("vast_pod_upstream_timestamp_seconds", steady(0), RELOADER),
    labels: POD,
    silent: one("vast_pod_upstream_timestamp_seconds", rising(0, 60), RELOADER),
  },
  // Both programs are down for hours; the targets are still there. Of a pod that was scaled down the targets are gone.
  VastPodNotScraped: {
    at: 200,
    fires: all(one('vast_pod_build_info{program="vast-reloader",version="0.1.0"}', "1x10 _x230", RELOADER), {
      [`up{${RELOADER.replace(',pod="vast-pod-0"', "")}}`]: "1x10 0x230",
    }),
    labels: { ...POD, program: "vast-reloader" },
    silent: all(
      one('vast_pod_build_info{program="vast-provisioner",version="0.1.0"}', "1x10 _x230"),
      one("up", "1x10 _x230"),
    ),
  },
  VastPodNoMetrics: {
    at: 40,
    fires: one("vast_pod_ready", "1x10 _x230"),
    labels: {},
    silent: NOT_READY,
  },
  VastPodUnready: {
    at: 31,
    fires: one('kube_pod_status_ready{condition="true",pod="vast-pod-0"}', steady(0), KUBERNETES),
    labels: POD,
    silent: one('kube_pod_status_ready{condition="true",pod="another-0"}', steady(0), KUBERNETES),
  },
  VastPodUnseen: {
    at: 16,
    fires: one('kube_pod_status_phase{phase="Running",pod="vast-pod-0"}', steady(1), KUBERNETES),
    labels: POD,
    silent: all(one('kube_pod_status_phase{phase="Running",pod="vast-pod-0"}', steady(1), KUBERNETES), NOT_READY),
  },
  // Sidecars are init containers.
  VastPodContainerRestarts: {
    at: 60,
    fires: one(
      'kube_pod_init_container_status_restarts_total{container="reloader",pod="vast-pod-0"}',
      "0x10 1x10 2x10 3x10 4x200",
      KUBERNETES,
    ),
    labels: { ...POD, container: "reloader" },
    silent: one(
      'kube_pod_container_status_restarts_total{container="nginx",pod="vast-pod-0"}',
      "0x10 1x230",
      KUBERNETES,
    ),
  },
  // It has never succeeded, since it was created.
  VastPodReaperFailed: {
    at: 190,
    fires: one('kube_cronjob_created{cronjob="vast-pod-reaper"}', steady(0), KUBERNETES),
    labels: { namespace: "prod", cronjob: "vast-pod-reaper" },
    silent: all(
      one('kube_cronjob_created{cronjob="vast-pod-reaper"}', steady(0), KUBERNETES),
      one('kube_cronjob_status_last_successful_time{cronjob="vast-pod-reaper"}', rising(0, 60), KUBERNETES),
    ),
  },
};
