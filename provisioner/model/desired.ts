// What the operator wants, and the limits of every decision. Pure.
import type { Server } from "../../common/upstream-file.ts";
import type { Bidding } from "./bid.ts";
import type { BanKind } from "./observation.ts";

/** What the operator wants. */
export interface Desired {
  label: string;
  image: string;
  templateName: string;
  /** Identifies the desired image and template; persisted with every failure that says nothing about another revision. */
  revision: string;
  /** Container port to serve, if named. */
  upstreamPort: number | undefined;
  /** The scheme of requests to the instance. */
  upstreamScheme: Server["scheme"];
}

/** The revision of an image and a template. State files hold these strings, so they must not change. */
export function revisionOf(templateName: string, image: string): string {
  return `${templateName} ${image}`;
}

/** The limits of a decision; all times in ms. */
export interface Limits {
  bansEnabled: boolean;
  /** What a new ban names. Existing bans of both kinds are respected. */
  banScope: BanKind;
  banAfterMs: number;
  restartThreshold: number;
  unknownMaxMs: number;
  /** A passing HTTP probe proves that the app answers, so the server stays published however long the list is unknown. */
  httpProbe: boolean;
  unreachableMs: number;
  unhealthyMs: number;
  maxDollarsPerHour: number | undefined;
  maxCreatesPerHour: number;
  /** Null: instances are rented on demand. With it there is a price ceiling. */
  bidding: Bidding | null;
  updateStrategy: UpdateStrategy;
  updatePrecheck: UpdatePrecheck;
  surgeReady: SurgeReady;
  /** An instance whose contract ends within this time is replaced; 0: the end is waited for. */
  endMarginMs: number;
}

/** What the provisioner may do: everything, everything but destroy, or nothing (VAST_POLICY). */
export const POLICIES = ["sync", "no-destroy", "observe"] as const;
export type Policy = (typeof POLICIES)[number];

/** How an instance gets another image or template (VAST_UPDATE_STRATEGY). */
export const UPDATE_STRATEGIES = ["recreate", "in-place", "surge"] as const;
export type UpdateStrategy = (typeof UPDATE_STRATEGIES)[number];

/** What must be possible before an instance that serves is destroyed for another image or template (VAST_UPDATE_PRECHECK). */
export const UPDATE_PRECHECKS = ["offer", "none"] as const;
export type UpdatePrecheck = (typeof UPDATE_PRECHECKS)[number];

/**
 * Whether a pod that has been ready stays so while its instance is outdated (VAST_SURGE_READY). One that begins with an outdated instance
 * is not ready before the new one serves.
 */
export const SURGE_READY = ["old", "new"] as const;
export type SurgeReady = (typeof SURGE_READY)[number];

/** What is done when the host of an instance asks for a higher price (VAST_PRICE_INCREASE). */
export const PRICE_INCREASES = ["never", "accept-under-max"] as const;
export type PriceIncreasePolicy = (typeof PRICE_INCREASES)[number];

/** What happens to the instance on SIGTERM (VAST_ON_TERMINATE). */
export const ON_TERMINATE = ["keep", "scale-down", "destroy"] as const;
export type OnTerminate = (typeof ON_TERMINATE)[number];
