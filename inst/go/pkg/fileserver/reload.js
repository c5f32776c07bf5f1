"use strict";
// Loads the page again when a file has changed, and only its styles if nothing else has.
(() => {
  const address = document.currentScript.src;
  const parse = (version) => version.split(" ");
  let [styles, rest] = parse("VERSION"); // when the script was sent
  let stream = null;

  const restyle = () => {
    for (const link of document.querySelectorAll("link[rel~=stylesheet]")) {
      const url = new URL(link.href);
      if (url.origin !== location.origin) continue;
      url.searchParams.set("reload", Date.now());
      link.href = url;
    }
  };
  const look = ({ data }) => {
    const [newStyles, newRest] = parse(data);
    if (newRest !== rest) location.reload();
    else if (newStyles !== styles) restyle();
    [styles, rest] = [newStyles, newRest];
  };
  // A browser has few connections to a server: pages that nobody sees take none.
  const listen = () => {
    stream?.close();
    stream = null;
    if (document.hidden) return;
    stream = new EventSource(address);
    stream.onmessage = look;
  };
  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => stream?.close());
  addEventListener("pageshow", (event) => event.persisted && listen());
  listen();
})();
