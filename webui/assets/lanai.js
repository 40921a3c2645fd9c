// Niceties only: every page works without this file.
"use strict";
(() => {
  // Where the tabs are wider than the screen, the one of this page is in sight.
  document.querySelector(".tabs a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

  // The editor: line numbers, marks on lines with findings, jumping to a place, and a question
  // before text is left behind.
  for (const editor of document.querySelectorAll("[data-editor]")) {
    const text = editor.querySelector("textarea");
    const gutter = document.createElement("div");
    gutter.className = "gutter mono";
    gutter.setAttribute("aria-hidden", "true");
    editor.classList.add("numbered");
    text.before(gutter);
    const marks = new Map();
    for (const link of document.querySelectorAll("a[data-line]")) {
      const line = Number(link.dataset.line);
      if (marks.get(line) !== "bad") marks.set(line, link.dataset.class);
      link.addEventListener("click", (event) => {
        event.preventDefault();
        jump(text, line, Number(link.dataset.column));
      });
    }
    let count = 0;
    const number = () => {
      const lines = text.value.split("\n").length;
      if (lines !== count) {
        count = lines;
        gutter.replaceChildren(...Array.from({ length: lines }, (_, at) => {
          const span = document.createElement("span");
          span.textContent = String(at + 1);
          if (marks.has(at + 1)) span.className = marks.get(at + 1);
          return span;
        }));
      }
      gutter.scrollTop = text.scrollTop;
    };
    text.addEventListener("input", number);
    text.addEventListener("scroll", () => { gutter.scrollTop = text.scrollTop; });
    number();

    const before = text.value;
    let leaving = false;
    text.form.addEventListener("submit", () => { leaving = true; });
    window.addEventListener("pageshow", () => { leaving = false; });
    window.addEventListener("beforeunload", (event) => {
      if (!leaving && text.value !== before) event.preventDefault();
    });
  }

  function jump(text, line, column) {
    let start = 0;
    for (let at = 1; at < line; at++) {
      const end = text.value.indexOf("\n", start);
      if (end < 0) break;
      start = end + 1;
    }
    const end = text.value.indexOf("\n", start);
    const stop = end < 0 ? text.value.length : end;
    const from = Math.min(start + Math.max(column - 1, 0), stop);
    const rest = /^\S+/.exec(text.value.slice(from, stop));
    text.focus();
    text.setSelectionRange(from, from + (rest ? rest[0].length : 0));
    const height = parseFloat(getComputedStyle(text).lineHeight);
    text.scrollTop = Math.max(0, (line - 4) * height);
    text.scrollLeft = 0;
    text.scrollIntoView({ block: "nearest" });
  }

  // The Status page: refreshed in place until somebody stops it, and only while it is looked at.
  const live = () => document.getElementById("live");
  if (live()) {
    let on = true;
    // Refreshing is a use of the session, so it ends with the attention of whoever asked for it.
    let attention = Date.now();
    for (const kind of ["pointermove", "keydown", "scroll"]) {
      document.addEventListener(kind, () => { attention = Date.now(); }, { passive: true });
    }
    const dress = () => {
      const toggle = document.querySelector("[data-live-toggle]");
      toggle.textContent = on ? "Stop refreshing" : "Refresh";
      toggle.setAttribute("role", "button");
    };
    const refresh = async () => {
      if (Date.now() - attention > 15 * 60 * 1000) {
        on = false;
        dress();
      }
      if (!on || document.hidden || live().contains(document.activeElement)) return;
      try {
        const answer = await fetch(live().dataset.live, { headers: { "X-Lanai-Refresh": "1" }, redirect: "error" });
        if (!answer.ok) throw new Error(String(answer.status));
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("live");
        const [trial, now] = [document.getElementById("trial"), page.getElementById("trial")];
        if (trial && now && trial.dataset.revision !== now.dataset.revision && !trial.contains(document.activeElement)) trial.replaceWith(now);
        if (fresh && on && !live().contains(document.activeElement)) { live().replaceWith(fresh); dress(); }
      } catch {
        on = false;
        dress();
      }
    };
    document.addEventListener("click", (event) => {
      if (!event.target.closest("[data-live-toggle]")) return;
      event.preventDefault();
      on = !on;
      dress();
      event.target.blur();
      refresh();
    });
    dress();
    setInterval(refresh, 2000);
  }

  // A revision on trial: what is left of its time, counted from the page's coming, not by a clock
  // that may be another one than the box's.
  const shown = new WeakMap();
  const count = () => {
    const left = document.querySelector("[data-left]");
    if (!left) return;
    if (!shown.has(left)) shown.set(left, performance.now());
    const gone = (performance.now() - shown.get(left)) / 1000;
    const seconds = Math.max(0, Math.ceil(Number(left.dataset.left) - gone));
    if (seconds === 0) {
      left.parentElement.textContent = "Its time is over. Load this page again to see what is in effect now.";
      return;
    }
    left.textContent = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  };
  count();
  setInterval(count, 1000);

  // The account menu closes like any menu.
  const menu = document.querySelector(".menu");
  if (menu) {
    document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && menu.open) { menu.open = false; menu.querySelector("summary").focus(); }
    });
  }
})();
