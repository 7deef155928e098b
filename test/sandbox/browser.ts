// A real browser for tests of pages: Debian's Chromium, which setup.sh installs. Touches the processes that it starts.
import { type Browser, chromium } from "playwright-core";
import { type Environment, findProgram } from "./programs.ts";

/** The caller closes it. */
export function startBrowser(env: Environment = process.env): Promise<Browser> {
  // Chromium's own sandbox refuses to run as root.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: findProgram("chromium", env), args });
}
