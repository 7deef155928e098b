// Redraws one screen of a terminal again and again. Touches the terminal and the clock that it gets.
import type { Clock } from "../../common/clock.ts";

// The limits of the API are per key and address: from a pod this competes with the pods' own lists.
const EVERY_MS = 10_000;
// To the first line, the rest of the screen cleared: nothing flickers, and what was printed before can be scrolled to.
const HOME_AND_CLEAR = "\u001b[H\u001b[J";

/** Until the process is told to end, or `draw` rejects. */
export async function redraw(
  draw: () => Promise<string>,
  out: (text: string) => void,
  clock: Pick<Clock, "sleep">,
): Promise<never> {
  for (;;) {
    const screen = await draw();
    out(`${HOME_AND_CLEAR}${screen}`);
    await clock.sleep(EVERY_MS);
  }
}
