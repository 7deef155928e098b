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

/** More columns of offers and of filters, which the official command line does not name. */
const OTHER_COLUMNS =
  "ask_contract_id avail_vol_ask_id avail_vol_dph avail_vol_size bundle_id bundled_results cpu_name credit_discount_max " +
  "discount_rate discounted_dph_total discounted_hourly disk_name dph_base dph_total_adj dphtotal driver_vers end_date " +
  "expected_reliability geolocode gpu_ids gpu_lanes gpu_totalram hosting_type hostname internet_down_cost_per_tb " +
  "internet_up_cost_per_tb is_bid is_vm_deverified nw_disk_avg_bw nw_disk_max_bw nw_disk_min_bw os_version public_ipaddr " +
  "reliability2 reliability_mult resource_type rn score start_date storage_total_cost target_reliability time_remaining " +
  "time_remaining_isbid vericode vram_costperhour webpage";

/** Names for the same in GB. */
export const IN_GB: ReadonlyMap<string, string> = new Map([
  ["cpu_ram_GB", "cpu_ram"],
  ["gpu_ram_GB", "gpu_ram"],
  ["gpu_totalram_GB", "gpu_total_ram"],
]);

/** Every field that the API can filter by or sort by. It ignores others without a word. */
export const KNOWN_FIELDS: ReadonlySet<string> = new Set([...RECOGNISED, ...OTHER_COLUMNS.split(" "), ...IN_GB.keys()]);

/** Keys of a search body whose value is no condition; some are fields as well. */
export const PARAMETERS: ReadonlySet<string> = new Set(
  "disable_bundling external extra_ids gpu_option has_avx show_incompatible target_reliability template_id".split(" "),
);

/** The order that is computed here, and that the API does not know. */
export const EXPECTED_COST = "expected_cost";

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
