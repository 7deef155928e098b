// Which known word somebody meant who mistyped it: for commands, options and settings. Pure.

/** The known word that is nearest to `word`, or null when none is similar: at most one mistake for each three letters. */
export function closestWord(word: string, known: readonly string[]): string | null {
  const most = Math.max(1, Math.floor(word.length / 3));
  let best: { word: string; mistakes: number } | null = null;
  for (const one of known) {
    const mistakes = typingMistakes(word, one);
    if (mistakes <= Math.min(most, (best?.mistakes ?? Number.POSITIVE_INFINITY) - 1)) best = { word: one, mistakes };
  }
  return best?.word ?? null;
}

/** The least number of letters that are missing, added, wrong, or swapped with their neighbour. */
export function typingMistakes(a: string, b: string): number {
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
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
