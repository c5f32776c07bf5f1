// A page that is being written, in Chromium: it shows what is on disk. Usage:
//
//   CHROMIUM=/usr/bin/chromium node reload.mjs URL DIR
//
// URL is served from DIR, which may be written, with live reload. Prints what is wrong, and ends with status 1
// if anything is.
import { renameSync, writeFileSync } from "node:fs";
import { chromium } from "playwright-core";

const [url, dir] = process.argv.slice(2);
const write = (name, text) => {
  writeFileSync(`${dir}/.new`, text);
  renameSync(`${dir}/.new`, `${dir}/${name}`);
};
const html = (text) => `<!DOCTYPE html><html><head><link rel="stylesheet" href="reload.css"></head><body><p>${text}</p></body></html>`;
write("reload.css", "p { color: rgb(1, 2, 3); }");
write("reload.html", html("one"));

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
const page = await browser.newPage();
const loaded = (address) => Promise.all([page.waitForResponse(/\.mangoro\/reload$/), page.goto(address)]);
await loaded(`${url}reload.html`);
await page.evaluate(() => { window.here = true; });
await expect("styles change without a reload", async () => {
  write("reload.css", "p { color: rgb(4, 5, 6); }");
  await page.waitForFunction(() => getComputedStyle(document.querySelector("p")).color === "rgb(4, 5, 6)");
  if (!await page.evaluate(() => window.here)) throw new Error("the page was loaded again");
});
await expect("a page is loaded again", async () => {
  write("reload.html", html("two"));
  await page.waitForFunction(() => document.querySelector("p").textContent === "two");
});
await loaded(url);
await expect("a list is loaded again", async () => {
  write("reload-new.txt", "new");
  await page.waitForFunction(() => document.body.textContent.includes("reload-new.txt"));
});
await browser.close();
process.exitCode = wrong ? 1 : 0;
