// Takes the picture of the page that the README shows: `npx tsx test/local/picture.ts http://127.0.0.1:8080/ deploy/page.png`, while
// `npm run local` runs (its status port is in what it prints). A palette of 256 colours makes the file a third as large. Touches the
// file that it is given.
import { startBrowser } from "../sandbox/browser.ts";

const [url = "", path = ""] = process.argv.slice(2);
const browser = await startBrowser();
try {
  const page = await browser.newPage({ viewport: { width: 1000, height: 800 }, colorScheme: "light" });
  await page.goto(url);
  await page.locator(".state b").waitFor();
  await page.screenshot({ path, fullPage: true });
} finally {
  await browser.close();
}
