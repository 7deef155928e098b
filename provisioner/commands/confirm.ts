// Asks the operator before a command destroys or rents something. Touches the terminal.
import { createInterface } from "node:readline/promises";

/** Throws when there is no terminal. `command` is the one that asks. */
export function requireTerminal(command: string): void {
  if (!process.stdin.isTTY) throw new Error(`${command} asks for confirmation, but there is no terminal: add --yes`);
}

/** True after y or yes. Throws when there is no terminal. */
export async function confirmOnTerminal(question: string, command: string): Promise<boolean> {
  requireTerminal(command);
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
