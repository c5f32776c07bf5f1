// R in WebAssembly with shared memory, which needs an isolated page. Usage: node webr.mjs PAGE
// PAGE is the URL of a page; webR's files are below it at webr/.
import { visit } from "./browser.mjs";

await visit(process.argv[2], async () => {
  if (!crossOriginIsolated) return { isolated: false };
  const { WebR, ChannelType } = await import(new URL("webr/webr.js", location.href).href);
  const webR = new WebR({ baseUrl: new URL("webr/", location.href).href, channelType: ChannelType.SharedArrayBuffer });
  await webR.init();
  return { isolated: true, sum: await webR.evalRNumber("1 + 1") };
});
