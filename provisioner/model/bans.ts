// Which host or machine a ban names. A host is an account with many machines. Pure.
import type { Ban, BanKind } from "./observation.ts";

/** Where an instance or offer is; null where the API does not report it. */
export interface HostAndMachine {
  hostId: number | null;
  machineId: number | null;
}

/** What a ban of this scope would name, or null where the API does not report it. */
export function banTarget(where: HostAndMachine, scope: BanKind): { kind: BanKind; id: number } | null {
  const id = scope === "host" ? where.hostId : where.machineId;
  return id === null ? null : { kind: scope, id };
}

/** The ban of this host or machine. */
export function banOf(where: HostAndMachine, bans: readonly Ban[]): Ban | undefined {
  return bans.find((ban) => ban.id === (ban.kind === "host" ? where.hostId : where.machineId));
}

/** True for two bans of the same host or machine, even for different reasons. */
export function sameBan(a: Pick<Ban, "kind" | "id">, b: Pick<Ban, "kind" | "id">): boolean {
  return a.kind === b.kind && a.id === b.id;
}

/** The ids of the bans of one kind. */
export function bannedIds(bans: readonly Ban[], kind: BanKind): number[] {
  return bans.filter((ban) => ban.kind === kind).map((ban) => ban.id);
}
