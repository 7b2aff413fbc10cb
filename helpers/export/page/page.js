"use strict";
const $ = (selector, from = document) => [...from.querySelectorAll(selector)];
const root = document.documentElement, menu = $("#menu")[0], contents = $("#contents")[0];

// The contents follow the reader.
const entries = new Map($("#contents a").map(a => [decodeURIComponent(a.hash.slice(1)), a]));
const headings = $("main :is(h1, h2)").filter(h => entries.has(h.id));
const follow = () => {
  const passed = headings.filter(h => h.getBoundingClientRect().top < 120);
  const current = entries.get((passed.at(-1) ?? headings[0])?.id);
  for (const a of entries.values()) if (a !== current) a.removeAttribute("aria-current");
  if (current && !current.hasAttribute("aria-current")) {
    current.setAttribute("aria-current", "location");
    const box = contents.getBoundingClientRect(), place = current.getBoundingClientRect();
    if (place.top < box.top || place.bottom > box.bottom) contents.scrollTop += place.top - box.top - box.height / 2;
  }
};
addEventListener("scroll", follow, { passive: true });
follow();

const setMenu = open => { contents.classList.toggle("open", open); menu.setAttribute("aria-expanded", open); };
menu.onclick = () => setMenu(!contents.classList.contains("open"));
contents.onclick = event => { if (event.target.closest("a")) setMenu(false); };

// Light or dark: the system's, until the reader chooses.
$("#theme")[0].onclick = () => {
  const dark = getComputedStyle(root).colorScheme === "dark";
  root.dataset.theme = dark ? "light" : "dark";
};

// Code: all at once, of one section, copied.
const codes = $("details.code");
const all = $("#all-code")[0];
const setAll = show => {
  all.setAttribute("aria-pressed", show);
  all.textContent = show ? "Hide all code" : "Show all code";
};
setAll(codes.every(code => code.open));
all.onclick = () => {
  const show = all.getAttribute("aria-pressed") !== "true";
  for (const code of codes) code.open = show;
  setAll(show);
};
for (const block of $("details.code")) {
  const button = Object.assign(document.createElement("button"), { className: "copy", textContent: "Copy" });
  button.onclick = async () => {
    const text = $("pre", block)[0].textContent;
    try { await navigator.clipboard.writeText(text); } catch {
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area); area.select(); document.execCommand("copy"); area.remove();
    }
    button.textContent = "Copied";
  };
  ($(".sourceCode", block)[0] ?? block).append(button);
}
const show = hash => {
  const target = document.getElementById(decodeURIComponent(hash.slice(1)));
  const fold = target?.closest("details");
  if (fold) fold.open = true;
};
addEventListener("hashchange", () => show(location.hash));
show(location.hash);

// Figures, enlarged.
const large = $("#large")[0];
const enlarge = image => {
  const copy = image.cloneNode();
  copy.removeAttribute("tabindex");
  $("div", large)[0].replaceChildren(copy);
  large.showModal();
};
for (const image of $("figure img")) {
  Object.assign(image, { tabIndex: 0, title: "Enlarge" });
  image.onclick = () => enlarge(image);
  image.onkeydown = event => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // else the same key would press the button that closes it
    enlarge(image);
  };
}
large.onclick = () => large.close();

// Footnotes and citations, in place; the link itself still leads to the list.
const note = $("#note")[0];
const hide = () => { note.hidden = true; };
for (const a of $("a.footnote-ref, a[href^='#ref-']")) {
  const open = event => {
    const target = document.getElementById(decodeURIComponent(a.hash.slice(1)));
    if (!target) return;
    event.preventDefault();
    const copy = target.cloneNode(true);
    for (const back of $(".footnote-back", copy)) back.remove();
    note.innerHTML = copy.innerHTML;
    note.hidden = false;
    const place = a.getBoundingClientRect();
    const left = Math.min(place.left, innerWidth - note.offsetWidth - 16);
    note.style.left = `${Math.max(16, left) + scrollX}px`;
    note.style.top = `${place.bottom + scrollY + 6}px`;
  };
  a.addEventListener("click", open);
  a.setAttribute("aria-describedby", "note");
}
addEventListener("click", event => { if (!event.target.closest("#note, a")) hide(); });
addEventListener("keydown", event => { if (event.key === "Escape") { hide(); setMenu(false); } });
