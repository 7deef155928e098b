// A real browser for tests of pages: Debian's Chromium, which setup.sh installs. Touches the processes that it starts.
import type { Browser } from "playwright-core";
import { type Environment, findProgram } from "./programs.ts";

/** The caller closes it. */
export async function startBrowser(env: Environment = process.env): Promise<Browser> {
  // When it loads, it replaces this function by one that remembers the folder.
  const { cwd } = process;
  const { chromium } = await import("playwright-core");
  process.cwd = cwd;
  // Chromium's own sandbox refuses to run as root.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: findProgram("chromium", env), args });
}
