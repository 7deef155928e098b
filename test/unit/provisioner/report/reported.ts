// Reports of pods, as their provisioners write them into Redis, for the tests of what reads them.
import type { PodReport } from "../../../../provisioner/fleet/reports.ts";
import { MINUTE, NOW } from "../plan/situation.ts";

export function reported(over: Partial<PodReport> = {}): PodReport {
  return {
    observer: false,
    schema: 1,
    pod: "vast-pod-0",
    state: "ready",
    reason: "instance_ready",
    message: "instance 10 is serving",
    since: new Date(NOW - 10 * MINUTE).toISOString(),
    next: { waitsFor: "a change of the image", deadline: null, afterwards: "it is replaced" },
    image: "registry.example/team/app:2",
    instanceId: 10,
    instanceDollars: 1.5,
    paidDollars: 20,
    wastedDollars: 0.5,
    pendingPrice: null,
    ...over,
  };
}

export function blockedReport(pod: string): PodReport {
  return reported({
    pod,
    state: "blocked",
    reason: "no_offer",
    message: "no offer can be taken",
    next: { waitsFor: "an offer", deadline: null, afterwards: "an instance is created" },
    instanceId: null,
    instanceDollars: null,
  });
}
