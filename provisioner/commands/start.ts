// The command `run`: starts the provisioner, and stays up when it cannot start (STAY_UP). Touches everything.
import { systemClock as clock } from "../../common/clock.ts";
import { type CommandCall, EXIT, type ExitCode } from "../../common/command.ts";
import { exitCodeOf } from "../../common/exit-code.ts";
import { logDestination } from "../../common/log-destination.ts";
import { createLogger } from "../../common/logging.ts";
import { type StatusSource, startStatusServer } from "../../common/status-server.ts";
import { readAlone, type StartFailure, stayUp } from "../../common/stay-up.ts";
import { readProvisionerSettings, readSecretFile } from "../settings.ts";
import { PROVISIONER_VARIABLES } from "../variables.ts";
import { systemDependencies } from "./dependencies.ts";
import { lazyPage } from "./lazy-page.ts";
import { run } from "./run.ts";
import { withTemplateFile } from "./template-at-start.ts";

/** Runs until SIGTERM or SIGINT. Prints why the provisioner cannot start when STAY_UP is false. */
export async function startCommand(call: CommandCall): Promise<ExitCode> {
  return exitCodeOf("vast-provisioner", call, () => runUntilStopped(call));
}

async function runUntilStopped({ env, flags }: CommandCall): Promise<ExitCode> {
  const source = { env, flags, readFile: readSecretFile };
  const stop = stopSignal();
  const start = async () => {
    const settings = await withTemplateFile(readProvisionerSettings(source), source);
    const logTo = await logDestination(settings.logFormat, 1);
    return run(settings, { ...systemDependencies(settings, env), logTo }, stop);
  };
  const exitCode = (done: boolean) => (done ? EXIT.done : EXIT.failed);
  if (!readAlone(PROVISIONER_VARIABLES, source, "STAY_UP")) return exitCode(await start());
  const port = readAlone(PROVISIONER_VARIABLES, source, "PROVISIONER_STATUS_PORT");
  const log = createLogger({
    app: "vast-provisioner",
    debug: false,
    secrets: () => [],
    destination: await logDestination(readAlone(PROVISIONER_VARIABLES, source, "LOG_FORMAT"), 1),
  });
  const parts = {
    start,
    serve: (status: StatusSource, failure: StartFailure) => {
      const page = lazyPage(({ createFailurePage }) => createFailurePage(failure, clock));
      return startStatusServer(port, { ...status, page }, "PROVISIONER_STATUS_PORT");
    },
    clock,
    onProblem: (message: string) => log.error({ event: "cannot_start" }, message),
  };
  return exitCode((await stayUp(parts, stop)) ?? false);
}

function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort(new Error(signal)));
  return stop.signal;
}
