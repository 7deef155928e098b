// Whether an HTTP answer names the instance, so that a stranger at its address does not pass for it. Touches the answer's body.
import type { Readable } from "node:stream";

export interface StreamedAnswer {
  headers: object;
  data: Readable;
}

// A health page is a few hundred bytes; a stranger may send a body that never ends.
const MOST_BODY_BYTES = 65_536;
// biome-ignore lint/suspicious/noTemplateCurlyInString: the setting holds it literally
const INSTANCE_ID = "${INSTANCE_ID}";

/**
 * True if `text` is in a header (`Name: value`, in any case) or in the first 64 KiB of the body. The instance's id, not as a part of a
 * longer number, takes the place of `${INSTANCE_ID}`. Rejects when the body breaks off.
 */
export async function holdsText({ headers, data }: StreamedAnswer, text: string, instanceId: number): Promise<boolean> {
  const parts = text.split(INSTANCE_ID).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = parts.join(`(?<!\\d)${instanceId}(?!\\d)`);
  const inHeader = new RegExp(pattern, "i");
  if (Object.entries(headers).some(([name, value]) => inHeader.test(`${name}: ${value}`))) return true;
  // While more may come, a digit may follow.
  const inBody = new RegExp(`${pattern}(?=[^])`);
  let body = Buffer.alloc(0);
  for await (const chunk of data) {
    body = Buffer.concat([body, chunk]).subarray(0, MOST_BODY_BYTES);
    if (inBody.test(body.toString("latin1"))) return true;
    if (body.length === MOST_BODY_BYTES) break;
  }
  return new RegExp(pattern).test(body.toString("latin1"));
}
