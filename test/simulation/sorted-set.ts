// A sorted set as Redis has it: by score, and by the bytes of the member where scores are equal. It stays sorted, because a thousand pods
// ask for their place in one again and again. Pure but for its own state.

export class SortedSet {
  readonly #scores = new Map<string, number>();
  readonly #inOrder: string[] = [];

  get size(): number {
    return this.#scores.size;
  }

  score(member: string): number | undefined {
    return this.#scores.get(member);
  }

  add(member: string, score: number): void {
    if (this.#scores.get(member) === score) return;
    this.delete(member);
    this.#inOrder.splice(this.#positionOf(member, score), 0, member);
    this.#scores.set(member, score);
  }

  /** Returns whether it was a member. */
  delete(member: string): boolean {
    const score = this.#scores.get(member);
    if (score === undefined) return false;
    this.#inOrder.splice(this.#positionOf(member, score), 1);
    this.#scores.delete(member);
    return true;
  }

  /** How many stand before a member with this score. */
  rank(member: string, score: number): number {
    return this.#positionOf(member, score);
  }

  members(): readonly string[] {
    return this.#inOrder;
  }

  /** How many have this score or less. */
  countTo(most: number): number {
    return this.#firstWhere((index) => this.#scoreAt(index) > most);
  }

  /** Removes the first of those whose score is not above `most`, and returns them. */
  removeTo(most: number, limit = Number.POSITIVE_INFINITY): readonly string[] {
    const gone = this.#inOrder.splice(0, Math.min(this.countTo(most), limit));
    for (const member of gone) this.#scores.delete(member);
    return gone;
  }

  #scoreAt(index: number): number {
    return this.#scores.get(this.#inOrder[index] ?? "") ?? Number.POSITIVE_INFINITY;
  }

  #positionOf(member: string, score: number): number {
    return this.#firstWhere((index) => {
      const difference = this.#scoreAt(index) - score;
      return difference > 0 || (difference === 0 && bytesOrder(this.#inOrder[index] ?? "", member) >= 0);
    });
  }

  /** The first index from which on it is true. */
  #firstWhere(isTrue: (index: number) => boolean): number {
    let [from, to] = [0, this.#inOrder.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (isTrue(middle)) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}

function bytesOrder(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
