"use strict";
(() => {
  const box = document.querySelector("input[type=search]");
  const rows = [...document.querySelectorAll("tbody tr")];
  const count = document.querySelector("#count");
  const all = count.textContent;
  const whole = "whole" in box.form.dataset; // the page holds the whole directory
  const links = () => rows.filter((row) => !row.hidden).map((row) => row.querySelector("a"));

  // The filter: at once if all entries are here, else the server's when Enter is pressed.
  const filter = () => {
    const text = box.value.toLowerCase();
    let shown = 0;
    for (const row of rows) {
      if (row.classList.contains("up")) continue;
      row.hidden = !row.querySelector("a").textContent.toLowerCase().includes(text);
      if (!row.hidden) shown++;
    }
    count.textContent = text ? `${shown} of ${all}` : all;
    if (text || shown) document.querySelector("#none").hidden = shown > 0;
  };
  if (whole) {
    box.addEventListener("input", filter);
    box.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const first = rows.find((row) => !row.hidden && !row.classList.contains("up"));
      if (box.value && first) first.querySelector("a").click();
    });
    filter();
  }

  // The arrows move among the entries. Where there are none, and from the text below them, they scroll.
  const move = (step) => {
    const visible = links();
    const at = visible.indexOf(document.activeElement);
    if (at < 0 && document.activeElement !== box && scrollY > 0) return false;
    const next = at < 0 ? (step > 0 ? 0 : visible.length - 1) : at + step;
    if (next === -1) box.focus();
    else if (next < visible.length) visible[next].focus();
    return next < visible.length;
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target === box;
    const link = event.target.closest("tbody a");
    switch (event.key) {
      case "/": if (typing) return; box.focus(); box.select(); break;
      case "Escape": if (!typing) return; box.value = ""; if (whole) filter(); box.blur(); break;
      case "ArrowDown": if (!move(1)) return; break;
      case "ArrowUp": if (typing || !move(-1)) return; break;
      case "ArrowLeft": if (typing) return; document.querySelector(".up a")?.click(); break;
      case "ArrowRight": if (!link || !link.closest(".folder")) return; link.click(); break;
      default: return;
    }
    event.preventDefault();
  });
  document.querySelector(".keys").hidden = false;
})();
