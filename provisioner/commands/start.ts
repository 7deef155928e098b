// The command `run`: starts the provisioner, and stays up when it cannot start (STAY_UP). Touches everything.
import { systemClock as clock } from "../../common/clock.ts";
import { EXIT, type ExitCode } from "../../common/command-line.ts";
import { createLogger } from "../../common/logging.ts";
import type { SettingsSource } from "../../common/settings.ts";
import { type StatusSource, startStatusServer } from "../../common/status-server.ts";
import { readAlone, stayUp } from "../../common/stay-up.ts";
import { readProvisionerSettings } from "../settings.ts";
import { PROVISIONER_VARIABLES } from "../variables.ts";
import { systemDependencies } from "./dependencies.ts";
import { run } from "./run.ts";

/** Runs until `stop` is aborted. Rejects when the provisioner cannot start and STAY_UP is false. */
export async function startCommand(
  source: SettingsSource,
  env: NodeJS.ProcessEnv,
  stop: AbortSignal,
): Promise<ExitCode> {
  const start = () => {
    const settings = readProvisionerSettings(source);
    return run(settings, systemDependencies(settings, env), stop);
  };
  const exitCode = (done: boolean) => (done ? EXIT.done : EXIT.failed);
  if (!readAlone(PROVISIONER_VARIABLES, source, "STAY_UP")) return exitCode(await start());
  const port = readAlone(PROVISIONER_VARIABLES, source, "PROVISIONER_STATUS_PORT");
  const log = createLogger({ app: "vast-provisioner", debug: false, secrets: () => [] });
  const parts = {
    start: async () => start(),
    serve: (status: StatusSource) => startStatusServer(port, status, "PROVISIONER_STATUS_PORT"),
    clock,
    onProblem: (message: string) => log.error({ event: "cannot_start" }, message),
  };
  return exitCode((await stayUp(parts, stop)) ?? false);
}
