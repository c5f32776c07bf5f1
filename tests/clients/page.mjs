// The page of a directory, as a person uses it in Chromium. Usage:
//
//   CHROMIUM=/usr/bin/chromium node page.mjs URL [PICTURES]
//
// URL is a directory with at least a directory, two files and an image in it. Prints what is wrong, and ends
// with status 1 if anything is. Pictures of the page are put into the directory PICTURES.
import { chromium } from "playwright-core";

const [url, pictures] = process.argv.slice(2);
let wrong = 0;
const expect = (what, right, got = "") => {
  if (right) return;
  wrong++;
  console.log(`${what}: ${JSON.stringify(got)}`);
};

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
const open = async (options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, ...options });
  const page = await context.newPage();
  page.on("console", (message) => expect("the console", !["error", "warning"].includes(message.type()), message.text()));
  page.on("pageerror", (error) => expect("an error", false, String(error)));
  page.on("dialog", (dialog) => { expect("a name became a script", false, dialog.message()); dialog.dismiss(); });
  await page.goto(url);
  return page;
};
const names = (page) => page.locator("tbody tr:not(.up):visible td.name a").allTextContents();
const path = (page) => new URL(page.url()).pathname;

// With script: images, filter, keyboard.
let page = await open();
const all = await names(page);
const folder = all.find((name) => name.endsWith("/"));
const file = all.findLast((name) => !name.endsWith("/"));
expect("entries", folder && file, all);
const images = page.locator("img.icon");
for (const image of await images.all()) {
  await image.scrollIntoViewIfNeeded();
  const shown = await image.evaluate((img) => img.decode().then(() => img.naturalWidth > 0, () => false));
  expect("an image", shown, await image.getAttribute("src"));
}
for (const link of await page.locator("tbody td.name a").all()) {
  const address = await link.evaluate((a) => a.href);
  const answer = await page.request.head(address);
  expect("a link", answer.status() === 200, [address, answer.status()]);
}
await page.keyboard.press("/");
await page.keyboard.type(file.toUpperCase());
const found = await names(page);
expect("the filter", found.includes(file) && found.length < all.length, found);
expect("the count", (await page.locator("#count").textContent()).startsWith(`${found.length} of ${all.length}`));
await page.keyboard.press("Escape");
expect("the filter is empty", (await names(page)).length === all.length);
await page.keyboard.press("/");
await page.keyboard.type("there is no such name");
expect("nothing is found", (await names(page)).length === 0 && await page.locator("#none").isVisible());
await page.keyboard.press("Escape");

const focused = () => page.evaluate(() => document.activeElement.textContent);
await page.keyboard.press("ArrowDown");
const first = await focused();
await page.keyboard.press("ArrowDown");
expect("the arrows", first !== await focused() && [".."].concat(all).includes(first), [first, await focused()]);
await page.keyboard.press("/");
await page.keyboard.type(folder);
await page.keyboard.press("ArrowDown");
if (await focused() === "..") await page.keyboard.press("ArrowDown");
await page.keyboard.press("ArrowRight");
await page.waitForURL((address) => address.href !== url);
expect("the way down", path(page).length > new URL(url).pathname.length, path(page));
await page.keyboard.press("ArrowLeft");
await page.waitForURL(url);
await page.keyboard.press("/");
await page.keyboard.type(folder);
await page.keyboard.press("Enter");
await page.waitForURL((address) => address.href !== url);
expect("Enter opens", path(page).length > new URL(url).pathname.length, path(page));

// Wide and narrow, light and dark: nothing sticks out.
const colours = new Set();
for (const [width, colorScheme] of [[1100, "light"], [1100, "dark"], [360, "light"], [360, "dark"]]) {
  page = await open({ viewport: { width, height: 800 }, colorScheme });
  colours.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(`the width at ${width}`, wide <= 0, wide);
  if (pictures) await page.screenshot({ path: `${pictures}/page-${width}-${colorScheme}.png`, fullPage: true });
}
expect("light and dark", colours.size === 2, [...colours]);

// Without script: sort and filter.
page = await open({ javaScriptEnabled: false });
expect("no script is needed", (await names(page)).join() === all.join());
await page.locator("th.name a").click();
const down = await names(page);
const files = (list) => list.filter((name) => !name.endsWith("/"));
expect("the order", files(down).join() === files(all).reverse().join(), down);
await page.locator("input[type=search]").fill(file);
await page.locator("input[type=search]").press("Enter");
await page.waitForURL(/[?&]q=/);
expect("the filter of the server", (await names(page)).includes(file) && (await names(page)).length < all.length, await names(page));

await browser.close();
process.exitCode = wrong ? 1 : 0;
