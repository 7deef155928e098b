// Runs pieces of work one after another, in the order in which they were handed in. Pure but for its own state.

export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** Settles as `work` does, after everything that was handed in before; an error there is that caller's alone. */
export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  const over = () => undefined;
  return (work) => {
    const turn = last.then(work);
    last = turn.then(over, over);
    return turn;
  };
}
