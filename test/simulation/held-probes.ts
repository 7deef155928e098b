// Probes that nothing can have changed since: they are answered when something changes, or after a while. A large fleet is simulated
// several times faster so. Pure but for its own state.

export interface HeldProbes {
  /** Calls `wake` at the next change of the instance, or of everything. The returned function takes that back. */
  hold(instanceId: number, wake: () => void): () => void;
  changed(instanceId: number): void;
  allChanged(): void;
  /** Something is wanted of all pods: for a minute no probe is held, so that each pod notices it as soon as a real one. */
  wakeAll(): void;
  mayHold(): boolean;
}

/**
 * How long a probe is held where nothing happens, ms. The probes of pods for which all is well take most of the time of a run. With held
 * ones more calls fall into one second after an outage: a test of how calls spread needs each probe.
 */
export const HOLD_PROBES_MS = 15_000;
const AWAKE_MS = 60_000;

export function heldProbes(now: () => number): HeldProbes {
  const held = new Map<number, Set<() => void>>();
  let awakeUntil = 0;
  const changed = (instanceId: number) => {
    const waiting = held.get(instanceId);
    held.delete(instanceId);
    for (const wake of waiting ?? []) wake();
  };
  const allChanged = () => {
    for (const id of [...held.keys()]) changed(id);
  };
  return {
    changed,
    hold(instanceId, wake) {
      const waiting = held.get(instanceId) ?? new Set();
      held.set(instanceId, waiting.add(wake));
      return () => void waiting.delete(wake);
    },
    allChanged,
    wakeAll() {
      awakeUntil = now() + AWAKE_MS;
      allChanged();
    },
    mayHold: () => now() >= awakeUntil,
  };
}
