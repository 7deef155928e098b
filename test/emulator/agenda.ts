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

  const siftUp = (start: number) => {
    let i = start;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const [child, above] = [heap[i], heap[parent]];
      if (!child || !above || !before(child, above)) return;
      heap[i] = above;
      heap[parent] = child;
      i = parent;
    }
  };
  const siftDown = () => {
    let i = 0;
    for (;;) {
      let least = i;
      for (const j of [2 * i + 1, 2 * i + 2]) {
        const [candidate, best] = [heap[j], heap[least]];
        if (candidate && best && before(candidate, best)) least = j;
      }
      const [a, b] = [heap[i], heap[least]];
      if (least === i || !a || !b) return;
      heap[i] = b;
      heap[least] = a;
      i = least;
    }
  };
  return {
    add: (at, run) => {
      heap.push({ at, order: order++, run });
      siftUp(heap.length - 1);
    },
    nextAt: () => heap[0]?.at ?? null,
    takeDue: (now) => {
      const first = heap[0];
      if (!first || first.at > now) return null;
      const last = heap.pop();
      if (last && last !== first) {
        heap[0] = last;
        siftDown();
      }
      return first;
    },
  };
}
