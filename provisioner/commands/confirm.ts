// Asks the operator before a command destroys something. Touches the terminal.
import { createInterface } from "node:readline/promises";

/** True after y or yes. Throws when there is no terminal. */
export async function confirmOnTerminal(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error("destroy asks for confirmation, but there is no terminal: add --yes");
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
