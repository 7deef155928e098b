// Future events in order of time: a binary heap. Pure but for its own state.

interface Entry {
  at: number;
  order: number;
  run: () => void;
}

export interface Agenda {
  /** Calls `run` at the time (epoch ms). Entries with the same time run in the order of adding. */
  add(at: number, run: () => void): void;
  nextAt(): number | null;
  /** Removes and returns the first entry that is due at `now`, or null. */
  takeDue(now: number): { at: number; run: () => void } | null;
}

export function createAgenda(): Agenda {
  const heap: Entry[] = [];
  let order = 0;
  const before = (a: Entry, b: Entry) => a.at < b.at || (a.at === b.at && a.order < b.order);

  // Each entry on the way is moved once, and nothing is allocated: a simulation spends much of its time here.
  const siftUp = (entry: Entry) => {
    let i = heap.length - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(entry, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = entry;
  };
  const siftDown = (entry: Entry) => {
    let i = 0;
    for (;;) {
      let least = 2 * i + 1;
      let child = heap[least];
      if (child === undefined) break;
      const right = heap[least + 1];
      if (right !== undefined && before(right, child)) {
        least += 1;
        child = right;
      }
      if (!before(child, entry)) break;
      heap[i] = child;
      i = least;
    }
    heap[i] = entry;
  };
  return {
    add: (at, run) => {
      const entry = { at, order: order++, run };
      heap.push(entry);
      siftUp(entry);
    },
    nextAt: () => heap[0]?.at ?? null,
    takeDue: (now) => {
      const first = heap[0];
      if (!first || first.at > now) return null;
      const last = heap.pop();
      if (last && last !== first) siftDown(last);
      return first;
    },
  };
}
