// The Shiny app of inst/examples in Chromium: it goes on while Go computes. Usage:
//
//   CHROMIUM=/usr/bin/chromium node fit.mjs URL [PICTURE]
//
// Prints what is wrong, and ends with status 1 if anything is. PICTURE is a file for a picture of the app.
import { chromium } from "playwright-core";

const [url, picture] = process.argv.slice(2);
let wrong = 0;
const expect = async (what, test) => {
  try {
    await test();
  } catch (error) {
    wrong++;
    console.log(`${what}: ${error.message.split("\n")[0]}`);
  }
};
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 900, height: 600 }, deviceScaleFactor: 2 });
page.setDefaultTimeout(60000);
page.on("pageerror", (error) => { wrong++; console.log(String(error)); });
await page.goto(url);

const clock = page.locator("#clock");
const bar = page.locator(".shiny-progress-notification .progress-bar");
const ticks = async () => {
  const before = await clock.textContent();
  await page.waitForFunction((text) => document.querySelector("#clock").textContent !== text, before);
};
const steps = (millions) => page.evaluate((n) => {
  $("#steps").data("ionRangeSlider").update({ from: n });
  Shiny.setInputValue("steps", n); // the slider tells its own value a moment later
}, millions);
await page.waitForFunction(() => /\d\d:\d\d:\d\d/.test(document.querySelector("#clock").textContent));

await steps(1);
await page.locator("#fit").click();
await expect("the fit has a result", () => page.locator("#posterior img").waitFor());

await steps(50);
await page.locator("#fit").click();
await expect("there is progress", () => bar.waitFor());
await expect("it goes on", async () => {
  const before = await bar.getAttribute("style");
  await page.waitForFunction((style) => document.querySelector(".shiny-progress-notification .progress-bar").getAttribute("style") !== style, before);
});
await expect("the clock goes on", async () => { await ticks(); await ticks(); });
await expect("the fit runs meanwhile", () => bar.waitFor());
if (picture) {
  await page.waitForFunction(() => parseInt(document.querySelector(".shiny-progress-notification .progress-bar").style.width) >= 20, null, { timeout: 0 });
  await page.screenshot({ path: picture });
}
await page.locator("#cancel").click();
await expect("it is cancelled", () => page.getByText("The fit was cancelled.").waitFor());
await expect("the progress ends", () => bar.waitFor({ state: "detached" }));

await browser.close();
process.exitCode = wrong ? 1 : 0;
