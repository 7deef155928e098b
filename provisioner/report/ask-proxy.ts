// What the reloader says about nginx, for `/status`. Touches the reloader's status port.
import type { Clock } from "../../common/clock.ts";
import { getJson } from "../../common/http.ts";
import { proxyStatusSchema } from "../../common/reloader-status.ts";
import type { StatusDocument } from "./status-document.ts";

/** Null: the reloader gives no such answer. Never rejects. */
export type AskProxy = () => Promise<StatusDocument["proxy"]>;

// A page asks for `/status` every second or so, and the reloader changes something a few times a day.
const KEPT_MS = 3000;
// `/status` answers within a second, whatever the reloader does.
const DEADLINE_MS = 800;

export function createAskProxy(port: number, clock: Clock): AskProxy {
  let last: { at: number; answer: ReturnType<AskProxy> } | null = null;
  return () => {
    const at = clock.monotonic();
    if (last === null || at - last.at >= KEPT_MS) last = { at, answer: ask(port, clock) };
    return last.answer;
  };
}

async function ask(port: number, clock: Clock): ReturnType<AskProxy> {
  try {
    const { status, data } = await getJson(`http://127.0.0.1:${port}/status`, clock, DEADLINE_MS);
    const parsed = proxyStatusSchema.safeParse(data);
    if (status !== 200 || !parsed.success) return null;
    const { applied, state, problem } = parsed.data;
    return { appliedGeneration: applied?.generation ?? null, state, problem };
  } catch {
    return null; // down or starting: the document says that it does not answer
  }
}
