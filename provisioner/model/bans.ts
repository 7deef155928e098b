// Whom a ban concerns: a host, which is an account with many machines, or one machine of it. Pure.
import type { Ban, BanKind } from "./observation.ts";

/** What rows and offers tell about where they are; null where the API leaves it out. */
export interface HostAndMachine {
  hostId: number | null;
  machineId: number | null;
}

/** What a ban of this scope would name, or null where the API does not tell it. */
export function banTarget(place: HostAndMachine, scope: BanKind): { kind: BanKind; id: number } | null {
  const id = scope === "host" ? place.hostId : place.machineId;
  return id === null ? null : { kind: scope, id };
}

/** The ban that holds for this place, of either kind. */
export function banOf(place: HostAndMachine, bans: readonly Ban[]): Ban | undefined {
  return bans.find((ban) => ban.id === (ban.kind === "host" ? place.hostId : place.machineId));
}

/** True for two bans of the same host or machine, whatever their reasons. */
export function sameBan(a: Pick<Ban, "kind" | "id">, b: Pick<Ban, "kind" | "id">): boolean {
  return a.kind === b.kind && a.id === b.id;
}

/** The ids of the bans of one kind. */
export function bannedIds(bans: readonly Ban[], kind: BanKind): number[] {
  return bans.filter((ban) => ban.kind === kind).map((ban) => ban.id);
}
