// Every value of `event` in the log, with the programs that write it and its meaning. The documents show this table. Pure.

/** `by` are the programs that write it. */
export interface LogEventDescription {
  by: readonly ("provisioner" | "reloader")[];
  meaning: string;
}

export const LOG_EVENTS = {
  start: { by: ["provisioner", "reloader"], meaning: "the program starts, with its main settings" },
  cannot_start: {
    by: ["provisioner", "reloader"],
    meaning: "the program cannot start, stays up and tries again (STAY_UP)",
  },
  stop: {
    by: ["provisioner", "reloader"],
    meaning: "the program stops; the provisioner names what is still being billed",
  },
  settings: { by: ["provisioner", "reloader"], meaning: "a setting is valid, but probably not what was intended" },
  state: { by: ["provisioner"], meaning: "the pod's `state`, `reason`, message, server or instance changed" },
  published: { by: ["provisioner"], meaning: "the upstream file was written (debug)" },
  progress: {
    by: ["provisioner"],
    meaning: "a step towards an instance: its `phase` is searching, creating or starting (each minute)",
  },
  action: { by: ["provisioner"], meaning: "a create, destroy or ban, with its `action` and `reason`" },
  withdraw: {
    by: ["provisioner"],
    meaning: "the reloader did not confirm within 10 s that nginx stopped using a server",
  },
  terminate: { by: ["provisioner"], meaning: "what happens to the instance on SIGTERM, and why (VAST_ON_TERMINATE)" },
  reap: { by: ["provisioner"], meaning: "the `reap` command could not list the instances" },
  template: { by: ["provisioner"], meaning: "the account has several templates with the name of VAST_TEMPLATE_NAME" },
  lost_label: {
    by: ["provisioner"],
    meaning: "an instance lost its label: it is still billed, and is not touched any more",
  },
  money: {
    by: ["provisioner"],
    meaning: "a contract ends soon, a host asks for more, credit runs out, or one is unknown",
  },
  disk: {
    by: ["provisioner"],
    meaning: "the state file or the upstream file cannot be written, or can be written again",
  },
  state_file: { by: ["provisioner"], meaning: "the state file cannot be used and was moved aside" },
  upstream_file: { by: ["provisioner"], meaning: "the upstream file cannot be used and will be rewritten" },
  redis: { by: ["provisioner"], meaning: "Redis fails, or works again" },
  lease: { by: ["provisioner"], meaning: "a problem with the label's lease, or with the copy of the state in Redis" },
  fleet: {
    by: ["provisioner"],
    meaning: "the pod reads the instance list for all pods of the account, or has stopped doing so",
  },
  turn: {
    by: ["provisioner"],
    meaning: "a create or a destroy leaves, and how long after its turn among the pods (`afterTurnMs`; debug)",
  },
  kubernetes: {
    by: ["provisioner"],
    meaning: "Events and annotations of the pod cannot be written, or are written again (KUBERNETES_EVENTS)",
  },
  desired: { by: ["reloader"], meaning: "the server in the upstream file changed" },
  reload: { by: ["reloader"], meaning: "nginx was reloaded and the new config verified, with the time of both" },
  problem: { by: ["reloader"], meaning: "the desired config is not applied, and why" },
  applied: { by: ["reloader"], meaning: "the desired config is applied again" },
  warning: { by: ["reloader"], meaning: "something works, but not fully" },
  watch: { by: ["reloader"], meaning: "the folder of the upstream file cannot be watched; it is checked every 3 s" },
  recover: { by: ["reloader"], meaning: "files of an earlier run cannot be used" },
  pass: { by: ["reloader"], meaning: "a pass of the loop finished (debug)" },
  internal_error: { by: ["provisioner", "reloader"], meaning: "a pass failed because of a defect; the loop continues" },
} as const satisfies Record<string, LogEventDescription>;

/** The value of `event` in a log line. */
export type LogEvent = keyof typeof LOG_EVENTS;
