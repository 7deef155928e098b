// Runs contestants in turn, A B A B, so that other work on the machine affects all of them alike.

export interface Contestant<T> {
  /** The results of its turns so far. */
  readonly samples: readonly T[];
  turn(round: number): Promise<void>;
}

export function contestant<T>(run: (round: number) => Promise<T>): Contestant<T> {
  const samples: T[] = [];
  return {
    samples,
    turn: async (round) => {
      samples.push(await run(round));
    },
  };
}

/** Gives each of `contestants` one turn a round. */
export async function interleave(rounds: number, contestants: readonly Contestant<unknown>[]): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    for (const one of contestants) await one.turn(round);
  }
}
