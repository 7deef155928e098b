// Connects the reports on the pod in its cluster (KUBERNETES_EVENTS) with the loop. Touches the cluster's API, through the reporter.
import { messageOf } from "../../common/errors.ts";
import { scrub } from "../../common/logging.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import type { PodInstance } from "../kubernetes/pod-objects.ts";
import type { LoopState } from "../loop-state.ts";
import type { Transition } from "../state/history.ts";
import type { RunContext } from "./dependencies.ts";

export interface PodReports {
  /** Called after each pass; returns at once. */
  report(stop: AbortSignal): void;
  /** Writes the transitions of a loop that has ended. */
  finish(stop: AbortSignal): Promise<void>;
}

const NONE: PodReports = { report: () => undefined, finish: async () => undefined };

export async function connectPodReports({ settings, deps, log }: RunContext, loop: LoopState): Promise<PodReports> {
  if (!settings.kubernetesEvents) return NONE;
  const cluster = openedBy(deps.openCluster);
  if (typeof cluster === "string") {
    log.warn({ event: "settings" }, `KUBERNETES_EVENTS=true has no effect: ${cluster}`);
    return NONE;
  }
  const { createPodReporter } = await import("../kubernetes/pod-reporter.ts");
  const reporter = createPodReporter({
    cluster,
    podName: settings.podName,
    clock: deps.clock,
    random: deps.random,
    clean: (text) => scrub(text, settings.secrets.all()),
    onProblem: (why) => {
      if (why === null) log.info({ event: "kubernetes" }, "Kubernetes Events and annotations are written again");
      else log.warn({ event: "kubernetes" }, `Kubernetes Events and annotations cannot be written: ${why}`);
    },
  });
  // What an earlier process has noted was written by it.
  let reported = new Set(loop.state.history.map(keyOf));
  const newChanges = () => {
    const { history } = loop.state;
    const changes = history.filter((one) => !reported.has(keyOf(one)));
    reported = new Set(history.map(keyOf));
    return changes;
  };
  return {
    report: (stop) => reporter.report(newChanges(), instanceOf(loop), stop),
    finish: (stop) => reporter.finish(newChanges(), stop),
  };
}

function openedBy(openCluster: () => Cluster): Cluster | string {
  try {
    return openCluster();
  } catch (error) {
    return messageOf(error);
  }
}

const keyOf = ({ at, state, reason, instanceId }: Transition) => `${at} ${state} ${reason} ${instanceId}`;

function instanceOf({ plan, seen }: LoopState): PodInstance | null {
  const id = plan?.instance?.id;
  if (id === undefined) return null;
  const row = seen?.instances.find((one) => one.row.id === id)?.row;
  return { id, dollarsPerHour: row?.dollarsPerHour ?? null };
}
