// Chromium without the network: what is not on this machine is blocked. visit() calls a function in the page at
// a URL, and prints what it returns as JSON.
import { chromium } from "playwright-core";

export async function visit(url, inPage, argument) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => console.error(String(error)));
    await page.route((to) => to.protocol.startsWith("http") && to.hostname !== "127.0.0.1", (route) => route.abort());
    await page.goto(url);
    console.log(JSON.stringify(await page.evaluate(inPage, argument)));
  } finally {
    await browser.close();
  }
}
