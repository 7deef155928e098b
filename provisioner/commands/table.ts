// The commands of `vast-provisioner`, as data: the source of --help, of completion and of the documents. What a command needs is
// loaded when it runs. Touches nothing itself.
import type { Command, CommandCall } from "../../common/command.ts";
import type { SettingsSource } from "../../common/settings.ts";
import { DESTROY_SETTINGS, PLAN_SETTINGS, REAP_SETTINGS, readSecretFile, STATUS_SETTINGS } from "../settings.ts";
import type { PROVISIONER_VARIABLES } from "../variables.ts";
import { BANS_SETTINGS } from "./bans-settings.ts";
import { LOGS_SETTINGS } from "./logs-settings.ts";
import { TEMPLATE_COMMAND_SETTINGS } from "./template-settings.ts";

/** Of every command that has a result: `name` prints one name or id on each line. */
const FORMATS = ["table", "wide", "json", "name"] as const;

/** Where a command reads its settings from. */
const sourceOf = ({ env, flags }: CommandCall): SettingsSource => ({ env, flags, readFile: readSecretFile });

export const PROVISIONER_COMMANDS: readonly Command<keyof typeof PROVISIONER_VARIABLES>[] = [
  {
    usage: "run",
    meaning: "keep one instance for this pod, with the desired template and image",
    examples: [
      { args: "--vast-policy observe", meaning: "log what would be done, without changing anything" },
      { args: "run --vast-max-dph 0.50", meaning: "rent only offers up to this price in $/h" },
    ],
    isDefault: true,
    settings: "all",
    run: async (call) => (await import("./start.ts")).startCommand(call),
  },
  {
    usage: "status",
    meaning: "show all pods of the account, the worst first, and what they cost; without a key the pod that runs here",
    examples: [
      {
        args: "status",
        meaning: "all pods of the account, with what their provisioners say where a Redis of the fleet is set",
      },
      {
        args: "status --prefix k8s_pod=vast-pod-",
        meaning: "those of the StatefulSet vast-pod; in a cluster also its orphans",
      },
      { args: "status --own --watch", meaning: "redraw what the provisioner here says, without calls of the API" },
    ],
    settings: STATUS_SETTINGS,
    outputs: FORMATS,
    options: {
      prefix: {
        type: "string",
        requiresArg: true,
        describe: "only instances whose label begins with this, as in k8s_pod=vast-pod-",
      },
      own: { type: "boolean", describe: "only this pod: ask the provisioner that runs here, not the API" },
      watch: { type: "boolean", alias: "w", describe: "redraw the screen every 10 s until Ctrl-C" },
    },
    run: async (call) => (await import("./status.ts")).statusCommand(call, sourceOf(call)),
  },
  {
    usage: "plan",
    meaning: "show what run would do now, with the best offers and why the others cannot be taken; changes nothing",
    examples: [
      { args: "plan", meaning: "wanted beside is, the steps, the offers, budget, credit and bans" },
      { args: "plan --vast-template-image example/app:3", meaning: "what another image would do" },
      {
        args: "plan --exit-code",
        meaning: "exit with 3 when something would be created, destroyed, banned or written",
      },
    ],
    settings: PLAN_SETTINGS,
    outputs: FORMATS,
    options: {
      "exit-code": { type: "boolean", describe: "exit with 3 when it would act, with 0 when it would not" },
    },
    run: async (call) => (await import("./plan.ts")).planCommand(call, sourceOf(call)),
  },
  {
    usage: "destroy",
    meaning: "destroy this pod's instances after a confirmation, and verify it",
    examples: [
      { args: "destroy", meaning: "ask, then destroy this pod's instances" },
      { args: "destroy --yes", meaning: "destroy them without asking" },
      { args: "destroy --yes -o json", meaning: "print the result as JSON, for a script" },
    ],
    settings: DESTROY_SETTINGS,
    outputs: FORMATS,
    options: {
      yes: { type: "boolean", alias: "y", describe: "destroy without asking" },
      "within-seconds": {
        type: "string",
        requiresArg: true,
        describe: "how long it tries until everything is verified as destroyed [300]",
      },
    },
    run: async (call) => (await import("./destroy.ts")).destroyCommand(call, sourceOf(call)),
  },
  {
    usage: "doctor",
    meaning:
      "check settings, key, template, query, Redis, files and nginx, and say what to do; --rent tries an instance",
    examples: [
      { args: "doctor", meaning: "check everything that can be checked here, and change nothing" },
      { args: "doctor --rent", meaning: "then rent the cheapest offer, wait until it answers, and destroy it" },
      { args: "doctor -o name", meaning: "print only the names of the checks that failed or warn" },
    ],
    settings: "all",
    outputs: FORMATS,
    options: {
      rent: {
        type: "boolean",
        describe: "after the checks: rent an instance once, wait until it answers, and destroy it",
      },
      yes: { type: "boolean", alias: "y", describe: "rent without asking" },
      "max-dollars": {
        type: "string",
        requiresArg: true,
        describe: "what the trial may cost at most, without traffic [0.50]",
      },
    },
    run: async (call) => (await import("./doctor.ts")).doctorCommand(call, sourceOf(call)),
  },
  {
    usage: "query [text..]",
    meaning: "print the filters that a VAST_SEARCH_QUERY means; needs no account",
    examples: [
      { args: "query 'gpu_ram>=24 num_gpus=1'", meaning: "the filters of this query" },
      { args: "query -o json 'gpu_ram>=24'", meaning: "as JSON, for a script" },
      { args: "query --no-default 'dph<0.5'", meaning: "without the filters that are added to a query" },
    ],
    settings: ["VAST_SEARCH_ALLOW_UNKNOWN"],
    outputs: FORMATS,
    options: {
      "no-default": {
        type: "boolean",
        describe: "leave out the default filters of `vastai search offers` (verified, not external, rentable)",
      },
    },
    positionals: { text: { describe: "the query, or JSON filters" } },
    takesText: "text",
    run: async (call) => (await import("./query.ts")).queryCommand(call, sourceOf(call)),
  },
  {
    usage: "reap",
    meaning: "list instances whose pod no StatefulSet wants any more, and destroy them with --yes (in a cluster)",
    examples: [
      { args: "reap --prefix k8s_pod=vast-pod-", meaning: "list the orphans of the StatefulSet vast-pod" },
      { args: "reap --prefix k8s_pod=vast-pod- --yes", meaning: "destroy them, at most five" },
    ],
    settings: REAP_SETTINGS,
    outputs: FORMATS,
    options: {
      prefix: {
        type: "string",
        requiresArg: true,
        describe: "the instances' labels without the pod's number, as in k8s_pod=vast-pod-",
      },
      yes: { type: "boolean", alias: "y", describe: "destroy the orphans; without it they are only listed" },
      "at-most": { type: "string", requiresArg: true, describe: "most instances destroyed in one run [5]" },
      "set-deleted": {
        type: "boolean",
        describe: "the StatefulSet was deleted for good: all of its instances are orphans",
      },
      "younger-than-minutes": {
        type: "string",
        requiresArg: true,
        describe: "keep instances younger than this [30]",
      },
    },
    run: async (call) => (await import("./reap.ts")).reapCommand(call, sourceOf(call)),
  },
  {
    usage: "bans <action> [ids..]",
    meaning: "list, add or remove bans of hosts or machines, in the Redis that the pods use; makes no API call",
    examples: [
      { args: "bans list", meaning: "all bans, with their reasons and ends" },
      { args: "bans add 10479 --reason 'slow disk' --ttl 7d", meaning: "rent nothing of this host for seven days" },
      { args: "bans remove 10479", meaning: "use the host again" },
    ],
    settings: BANS_SETTINGS,
    outputs: FORMATS,
    options: {
      machine: { type: "boolean", describe: "the ids are those of machines; a host is an account with many machines" },
      host: { type: "boolean", describe: "the ids are those of hosts [as BLACKLIST_SCOPE says]" },
      reason: { type: "string", requiresArg: true, describe: "why, for people and messages [by_hand]" },
      ttl: {
        type: "string",
        requiresArg: true,
        describe: "how long the ban lasts: 3600, 90m, 12h or 7d [BLACKLIST_BAN_TTL_SECONDS]",
      },
    },
    positionals: {
      action: { choices: ["list", "add", "remove"], describe: "what to do" },
      ids: { type: "string", array: true, describe: "host or machine ids, for add and remove" },
    },
    run: async (call) => (await import("./bans.ts")).bansCommand(call, sourceOf(call)),
  },
  {
    usage: "template <action>",
    meaning: "compare the account's template with VAST_TEMPLATE_FILE, write it, or print it as such a file",
    examples: [
      { args: "template diff", meaning: "field by field, what the account has and what the file has" },
      { args: "template apply --yes", meaning: "create or edit the template without asking" },
      { args: "template export > template.yaml", meaning: "begin such a file with what the account has" },
    ],
    settings: TEMPLATE_COMMAND_SETTINGS,
    outputs: FORMATS,
    options: {
      "exit-code": { type: "boolean", describe: "diff: exit with 3 when it differs, with 0 when it does not" },
      yes: { type: "boolean", alias: "y", describe: "apply: write without asking" },
    },
    positionals: { action: { choices: ["diff", "apply", "export"], describe: "what to do" } },
    run: async (call) => (await import("./template.ts")).templateCommand(call, sourceOf(call)),
  },
  {
    usage: "logs",
    meaning: "print what the container of this pod's instance printed, without secrets",
    examples: [
      { args: "logs", meaning: "the last 200 lines" },
      { args: "logs --tail 1000 --filter error", meaning: "of the last 1000 lines those with this text" },
      { args: "logs --daemon", meaning: "what the host's container engine said, like the errors of a pull" },
    ],
    settings: LOGS_SETTINGS,
    outputs: FORMATS,
    options: {
      tail: { type: "string", requiresArg: true, describe: "the last so many lines [200]" },
      filter: { type: "string", requiresArg: true, describe: "only lines with this text" },
      daemon: { type: "boolean", describe: "the log of the host instead of that of the container" },
      instance: { type: "string", requiresArg: true, describe: "which one of several [the newest]" },
    },
    run: async (call) => (await import("./logs.ts")).logsCommand(call, sourceOf(call)),
  },
  {
    usage: "history",
    meaning: "show what happened to this pod, when and why: the last 50 changes of its state; makes no API call",
    examples: [
      { args: "history", meaning: "ask the provisioner here; when none runs, read the state file" },
      { args: "history --last 5 -o wide", meaning: "the last five, with their whole messages" },
    ],
    settings: ["POD_NAME", "VAST_LABEL", "STATE_PATH", "PROVISIONER_STATUS_PORT"],
    outputs: FORMATS,
    options: { last: { type: "string", requiresArg: true, describe: "only the last so many" } },
    run: async (call) => (await import("./history.ts")).historyCommand(call, sourceOf(call)),
  },
];
