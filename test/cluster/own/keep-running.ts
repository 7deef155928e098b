// Starts a program again whenever it ends, as systemd does for the kubelet of a node. Touches processes.
import type { Child } from "../../sandbox/child.ts";

export interface KeptProgram {
  /** Call it before the process is stopped: it is not started again. */
  release(): void;
}

/** `start` is called again 0.5 s after each end. Throws what the first start throws. */
export async function keepRunning(start: () => Promise<Child>): Promise<KeptProgram> {
  let released = false;
  const startNext = (child: Child): void => {
    child.exited
      .then(async () => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        if (!released) startNext(await start());
      })
      .catch((error: unknown) => {
        // Nobody can catch it: the tests will time out, and this says why.
        console.error(`${child.name} could not be started again:`, error);
      });
  };
  startNext(await start());
  return {
    release: () => {
      released = true;
    },
  };
}
