// The smallest WebSocket server that echoes: handshake and frames of RFC 6455. Touches the socket it is given.
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455, section 1.3
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;

/** Accepts the upgrade and sends every message back; `greeting` comes first, as a text message. */
export function echoWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer, greeting: string): void {
  const key = request.headers["sec-websocket-key"];
  if (request.headers.upgrade?.toLowerCase() !== "websocket" || key === undefined) {
    socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    return;
  }
  const accept = createHash("sha1")
    .update(key + GUID)
    .digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.write(frame(0x81, Buffer.from(greeting)));
  let pending: Buffer = head;
  const consume = () => {
    for (;;) {
      const parsed = readFrame(pending);
      if (!parsed) return;
      pending = pending.subarray(parsed.size);
      const opcode = parsed.first & 0x0f;
      if (opcode === CLOSE) {
        socket.end(frame(0x80 | CLOSE, parsed.payload));
        return;
      }
      if (opcode === PING) socket.write(frame(0x80 | PONG, parsed.payload));
      else if (opcode !== PONG) socket.write(frame(parsed.first, parsed.payload));
    }
  };
  socket.on("error", () => socket.destroy()); // the other side disconnected: nothing is left to do
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    consume();
  });
  consume();
}

interface Frame {
  /** FIN bit and opcode. */
  first: number;
  payload: Buffer;
  /** Bytes of the whole frame. */
  size: number;
}

/** The first frame in `bytes`, unmasked, or null while it is not complete. */
export function readFrame(bytes: Buffer): Frame | null {
  if (bytes.length < 2) return null;
  const [first, second] = [bytes.readUInt8(0), bytes.readUInt8(1)];
  let length = second & 0x7f;
  let at = 2;
  if (length === 126) {
    if (bytes.length < 4) return null;
    length = bytes.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return null;
    length = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  const masked = (second & 0x80) !== 0;
  const start = at + (masked ? 4 : 0);
  if (bytes.length < start + length) return null;
  const payload = Buffer.from(bytes.subarray(start, start + length));
  if (masked) {
    for (let i = 0; i < length; i++) payload.writeUInt8(payload.readUInt8(i) ^ bytes.readUInt8(at + (i % 4)), i);
  }
  return { first, payload, size: start + length };
}

/** A frame as a server sends it: not masked. */
export function frame(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([first, length]), payload]);
  if (length < 65_536) return Buffer.concat([Buffer.from([first, 126, length >> 8, length & 0xff]), payload]);
  const head = Buffer.alloc(10);
  head.writeUInt8(first, 0);
  head.writeUInt8(127, 1);
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}
