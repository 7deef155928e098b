// What the operator wants, and the numbers that bound every decision. Pure.
import type { Server } from "../../common/upstream-file.ts";
import type { BanKind } from "./observation.ts";

/** What the operator wants. */
export interface Desired {
  label: string;
  image: string;
  templateName: string;
  /** Container port to serve, if named. */
  upstreamPort: number | undefined;
  /** How the instance is spoken to. */
  upstreamScheme: Server["scheme"];
}

/** Numbers that bound a decision; all times in ms. */
export interface Limits {
  bansEnabled: boolean;
  /** What a ban that is written names; bans of both kinds hold. */
  banScope: BanKind;
  banAfterMs: number;
  restartThreshold: number;
  unknownMaxMs: number;
  /** With an HTTP probe a passing probe proves the app, so that an unknown list may last. */
  httpProbe: boolean;
  unreachableMs: number;
  unhealthyMs: number;
  maxDollarsPerHour: number | undefined;
  maxCreatesPerHour: number;
}

/** What the provisioner may do: everything, everything but destroy, or nothing (VAST_POLICY). */
export const POLICIES = ["sync", "no-destroy", "observe"] as const;
export type Policy = (typeof POLICIES)[number];

/** What happens to the instance on SIGTERM (VAST_ON_TERMINATE). */
export const ON_TERMINATE = ["keep", "scale-down", "destroy"] as const;
export type OnTerminate = (typeof ON_TERMINATE)[number];
