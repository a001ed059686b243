// Makes pages quicker to use; every page works without it.
"use strict";

{
  // The theme of the device, unless the person has chosen one. Before the first paint, so that nothing flashes.
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  if (!root.dataset.bsTheme) {
    const follow = () => { root.dataset.bsTheme = dark.matches ? "dark" : "light"; };
    dark.addEventListener("change", follow);
    follow();
  }
  root.classList.add("scripted");

  // Times in the reader's zone; the exact instant is in the title.
  const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const localise = (within) => {
    for (const one of within.querySelectorAll("time[datetime]")) {
      const at = new Date(one.dateTime);
      if (!Number.isNaN(at.getTime())) one.textContent = time.format(at);
    }
  };

  // Ticks of a list: all of the page at once, and how many there are.
  const count = (form) => {
    const rows = [...form.querySelectorAll("input[name=id]")];
    const ticked = rows.filter((row) => row.checked).length;
    form.classList.toggle("ticked", ticked > 0);
    for (const place of form.querySelectorAll("[data-ticked]")) place.textContent = String(ticked);
    const all = form.querySelector("[data-tick-page]");
    if (all) {
      all.checked = ticked > 0 && ticked === rows.length;
      all.indeterminate = ticked > 0 && ticked < rows.length;
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    localise(document);
    document.querySelectorAll("form[data-bulk]").forEach(count);
  });
  document.addEventListener("htmx:load", (event) => localise(event.detail.elt));

  // What is unfolded stays so when its part of the page comes anew.
  let folds = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    folds = [...event.detail.target.querySelectorAll("details[id]")].map(({ id, open }) => [id, open]);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const [id, open] of folds) {
      const fold = document.getElementById(id);
      if (fold) fold.open = open;
    }
  });

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-bulk]");
    if (form) {
      if (event.target.matches("[data-tick-page]")) {
        for (const row of form.querySelectorAll("input[name=id]")) row.checked = event.target.checked;
      }
      count(form);
    }
  });

  // An open menu closes when something else is wanted.
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.dropdown[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const copied = event.target.closest("[data-copy]");
    if (copied) {
      const told = (text) => { copied.querySelector("span").textContent = text; };
      navigator.clipboard.writeText(copied.dataset.copy).then(() => told("Copied"), () => told("Copy it by hand"));
    }
    if (!event.target.closest(".find")) hits()?.replaceChildren();
  });

  // Search: `/` or Ctrl-K from anywhere, arrows among what was found, Enter to go there.
  const hits = () => document.getElementById("hits");
  const typing = (target) => target.matches("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    const find = document.getElementById("find");
    if (!find) return;
    const called = (event.key === "/" && !typing(event.target)) || (event.key === "k" && (event.ctrlKey || event.metaKey));
    if (called) {
      event.preventDefault();
      find.focus();
      find.select();
    } else if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.dropdown[open]")) menu.open = false;
      if (hits().contains(event.target)) find.focus();
      hits().replaceChildren();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const found = [...hits().querySelectorAll("a")];
      if (!found.length || !event.target.closest(".find")) return;
      event.preventDefault();
      const next = found.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      (next < 0 ? find : found[next % found.length]).focus();
    }
  });
}
