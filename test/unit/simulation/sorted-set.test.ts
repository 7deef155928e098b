import { expect, test } from "vitest";
import { seededRandom } from "../../emulator/random.ts";
import { SortedSet } from "../../simulation/sorted-set.ts";

const MEMBERS = ["a", "b", "B", "ä", "pod-1", "pod-10", "pod-2", "\u{ffff}", "\u{1f600}"] as const;

test("keeps the order of Redis: by score, then by bytes", () => {
  const random = seededRandom(1, "sorted set");
  const set = new SortedSet();
  const scores = new Map<string, number>();
  const sorted = () =>
    [...scores].sort(([a, x], [b, y]) => x - y || Buffer.compare(Buffer.from(a), Buffer.from(b))).map(([one]) => one);
  for (let i = 0; i < 2000; i += 1) {
    const [member, score] = [random.pick(MEMBERS), random.integer(0, 4)];
    switch (random.integer(0, 5)) {
      case 0:
        expect(set.delete(member)).toBe(scores.delete(member));
        break;
      case 1: {
        const most = random.pick([1, 100]);
        const gone = sorted()
          .filter((one) => (scores.get(one) ?? 0) <= score - 2)
          .slice(0, most);
        expect(set.removeTo(score - 2, most)).toEqual(gone);
        for (const one of gone) scores.delete(one);
        break;
      }
      default:
        set.add(member, score);
        scores.set(member, score);
    }
    expect(set.members()).toEqual(sorted());
    expect(set.countTo(score)).toBe([...scores.values()].filter((other) => other <= score).length);
    expect(set.score(member)).toBe(scores.get(member));
    expect(set.size).toBe(scores.size);
    if (scores.get(member) === score) expect(set.rank(member, score)).toBe(sorted().indexOf(member));
  }
});
