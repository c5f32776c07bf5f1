"use strict";
// Loads the page again when a file has changed, and only its styles if nothing else has.
(() => {
  const address = document.currentScript.src;
  let stream = null;
  let seen = null;

  const restyle = () => {
    for (const link of document.querySelectorAll("link[rel~=stylesheet]")) {
      const url = new URL(link.href);
      if (url.origin !== location.origin) continue;
      url.searchParams.set("reload", Date.now());
      link.href = url;
    }
  };
  const look = ({ data }) => {
    const [styles, rest] = data.split(" ");
    if (seen && seen.rest !== rest) location.reload();
    else if (seen && seen.styles !== styles) restyle();
    seen = { styles, rest };
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
