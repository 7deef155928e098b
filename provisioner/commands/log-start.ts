// The first lines of the log of `run`: what the settings warn of, and what the provisioner is for. Touches the log.
import { terminateWarning } from "../teardown/on-terminate.ts";
import type { RunContext } from "./dependencies.ts";

export function logStart({ settings, deps, log }: RunContext): void {
  const { desired, onTerminate, podName, policy, warnings } = settings;
  const terminate = terminateWarning(onTerminate, deps.inKubernetes, deps.openCluster);
  for (const warning of [...warnings, ...(terminate === null ? [] : [terminate])])
    log.warn({ event: "settings" }, warning);
  log.info(
    {
      event: "start",
      pod: podName,
      label: desired.label,
      image: desired.image,
      template: desired.templateName,
      policy,
    },
    "the provisioner starts",
  );
}
