// Every word that stands as `event` in a log line, with what it tells: the source of the type and of the documented tables. Pure.

/** `by` is the program that writes it. */
export interface LogEventDescription {
  by: readonly ("provisioner" | "reloader")[];
  meaning: string;
}

export const LOG_EVENTS = {
  start: { by: ["provisioner", "reloader"], meaning: "the program starts; the line has its main settings" },
  stop: {
    by: ["provisioner", "reloader"],
    meaning: "the program stops; the provisioner's line says what is still being billed",
  },
  settings: { by: ["provisioner", "reloader"], meaning: "a setting works, but probably not as intended" },
  state: { by: ["provisioner"], meaning: "`state`, `reason`, message, server or instance of the pod changed" },
  published: { by: ["provisioner"], meaning: "the upstream file was written (debug)" },
  progress: { by: ["provisioner"], meaning: "a step of creating an instance, with its `phase`" },
  action: { by: ["provisioner"], meaning: "a create, destroy or ban, with its `action` and `reason`" },
  withdraw: { by: ["provisioner"], meaning: "nginx was asked to stop using a server" },
  terminate: { by: ["provisioner"], meaning: "what happens to the instance because the program was told to stop" },
  reap: { by: ["provisioner"], meaning: "the `reap` command could not read the instance list" },
  template: { by: ["provisioner"], meaning: "the account has several templates of the wanted name" },
  disk: { by: ["provisioner"], meaning: "a file cannot be written, or can be written again" },
  state_file: { by: ["provisioner"], meaning: "the state file could not be used and was set aside" },
  upstream_file: { by: ["provisioner"], meaning: "the upstream file could not be used and is written anew" },
  redis: { by: ["provisioner"], meaning: "Redis does not work as needed, or works again" },
  lease: { by: ["provisioner"], meaning: "the lease of the label, or the copy of the state in Redis" },
  desired: { by: ["reloader"], meaning: "the upstream file asks for another server" },
  reload: { by: ["reloader"], meaning: "nginx was reloaded and the new config verified, with both times" },
  problem: { by: ["reloader"], meaning: "the desired config is not applied, and why" },
  applied: { by: ["reloader"], meaning: "the desired config is applied again" },
  warning: { by: ["reloader"], meaning: "something works, but not as it should" },
  watch: { by: ["reloader"], meaning: "the folder cannot be watched; the file is read every 3 s" },
  recover: { by: ["reloader"], meaning: "files of an earlier run could not be used" },
  pass: { by: ["reloader"], meaning: "a pass of the loop finished (debug)" },
  internal_error: { by: ["provisioner", "reloader"], meaning: "a defect of the program; the loop goes on" },
} as const satisfies Record<string, LogEventDescription>;

/** The word that a log line carries as `event`. */
export type LogEvent = keyof typeof LOG_EVENTS;
