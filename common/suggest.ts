// Which known word somebody meant who mistyped it: for commands, options and settings. Pure.

/** The known word that is nearest to `word`, or null when none is similar: at most one mistake for each three letters. */
export function closestWord(word: string, known: readonly string[]): string | null {
  const most = Math.max(1, Math.floor(word.length / 3));
  let best: { word: string; mistakes: number } | null = null;
  for (const one of known) {
    const fewer = Math.min(most, (best?.mistakes ?? Number.POSITIVE_INFINITY) - 1);
    const mistakes = typingMistakes(word, one, fewer);
    if (mistakes <= fewer) best = { word: one, mistakes };
  }
  return best?.word ?? null;
}

/**
 * The least number of letters that are missing, added, wrong, or swapped with their neighbour; when it is above `most`, some number above
 * `most`. Counting all of them for each variable of the environment would be a twentieth of a program's start, and so hot that V8 loads
 * its compiler, which costs 3 MB.
 */
export function typingMistakes(a: string, b: string, most: number): number {
  const difference = Math.abs(a.length - b.length); // as many letters are missing
  if (difference > most) return difference;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const differ = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          (last[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + 1,
          (last[j - 1] ?? 0) + differ,
          swapped ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    // From here on it only grows: a swap adds one to the row before, which is at most one less than this one.
    const least = Math.min(...row);
    if (least > most) return least;
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
