// The fields of an offer search: the official command line's list, its short names and its units. Pure.

export const OPERATORS = ["eq", "neq", "gt", "gte", "lt", "lte", "in", "notin"] as const;
export type Operator = (typeof OPERATORS)[number];

/** The filters of the search endpoint: `{"gpu_ram": {"gte": 24000}}`. */
export type Filters = Readonly<Record<string, Condition>>;
export type Condition = Readonly<Partial<Record<Operator, unknown>>>;

/** Keys of a search body that are not filters. */
export const OPTION_NAMES: ReadonlySet<string> = new Set(["order", "type", "limit", "allocated_storage"]);

/** The fields that the official command line recognises. */
export const RECOGNISED: ReadonlySet<string> = new Set(
  (
    "bw_nvlink cluster_id compute_cap cpu_arch cpu_cores cpu_cores_effective cpu_ghz cpu_ram cuda_max_good datacenter " +
    "direct_port_count disk_bw disk_space dlperf dlperf_per_dphtotal dph_total driver_version duration external " +
    "flops_per_dphtotal geolocation gpu_arch gpu_display_active gpu_frac gpu_max_power gpu_max_temp gpu_mem_bw gpu_name " +
    "gpu_ram gpu_total_ram has_avx host_id id inet_down inet_down_cost inet_up inet_up_cost machine_id min_bid mobo_name " +
    "num_gpus pci_gen pcie_bw reliability rentable rented static_ip storage_cost total_flops ubuntu_version verification " +
    "verified vms_enabled"
  ).split(" "),
);

/** More columns of offers: the API filters and sorts by them, although the command line warns about them. */
export const OTHER_COLUMNS: ReadonlySet<string> = new Set(
  (
    "ask_contract_id bundle_id dph_base dphtotal driver_vers end_date expected_reliability geolocode gpu_lanes " +
    "gpu_totalram hosting_type is_bid os_version public_ipaddr reliability2 score start_date storage_total_cost " +
    "target_reliability vericode"
  ).split(" "),
);

/** Short names that the command line replaces before sending. */
export const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ["cuda_vers", "cuda_max_good"],
  ["display_active", "gpu_display_active"],
  ["dlperf_usd", "dlperf_per_dphtotal"],
  ["dph", "dph_total"],
  ["flops_usd", "flops_per_dphtotal"],
]);

/** Fields that are in GB or days in a text query, and in MB or seconds in the API. */
export const UNITS: ReadonlyMap<string, number> = new Map([
  ["cpu_ram", 1000],
  ["gpu_ram", 1000],
  ["gpu_total_ram", 1000],
  ["duration", 24 * 60 * 60],
]);
