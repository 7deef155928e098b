// Reads a request's body whole. Touches the stream it is given.
import type { IncomingMessage } from "node:http";

/** Throws the stream's error if the caller disconnects. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
