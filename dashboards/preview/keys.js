// A page whose address names no theme has the one that the system prefers; the switch in the bar names one.
(() => {
  const query = new URLSearchParams(location.search);
  if (query.has("theme") || !matchMedia("(prefers-color-scheme: light)").matches) return;
  query.set("theme", "light");
  location.replace(`${location.pathname}?${query}${location.hash}`);
})();

// `/` or Ctrl-K goes to the search box. In every box with a list of what was found, arrows go through it and Escape away;
// Enter follows the first that the search found, what it means in another box that box says itself (`pick.py`).
(() => {
  document.addEventListener("keydown", event => {
    const typing = event.target.matches("input, textarea, [contenteditable]");
    if ((event.key === "/" && !typing) || (event.key === "k" && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      document.querySelector(".search input")?.focus();
      return;
    }
    const whole = event.target.closest?.(".search, .pick");
    if (!whole) return;
    const box = whole.querySelector("input"), found = [...whole.querySelectorAll(".hits .hit")];
    const at = found.indexOf(event.target);
    if (event.target !== box && at < 0) return;
    if (event.key === "Escape") document.activeElement.blur();
    else if (event.key === "ArrowDown" && found.length) found[Math.min(at + 1, found.length - 1)].focus();
    else if (event.key === "ArrowUp") (at > 0 ? found[at - 1] : box).focus();
    else if (event.key === "Enter" && at < 0 && found.length && whole.matches(".search")) found[0].click();
    else return;
    event.preventDefault();
  });
})();

// The first stop of Tab leads past the bar.
document.addEventListener("click", event => {
  if (!event.target.closest?.(".skip")) return;
  event.preventDefault();
  document.querySelector("main.grid").focus();
});

// Pages that the bar has no room for are told of by a sign; they show while the pointer or the focus is there.
(() => {
  const mark = () => document.querySelectorAll(".nav").forEach(
    nav => nav.classList.toggle("is-cut", nav.scrollHeight > nav.clientHeight + 8 && innerWidth > 1000));
  addEventListener("resize", mark);
  addEventListener("load", () => { mark(); new ResizeObserver(mark).observe(document.querySelector(".nav") ?? document.body); });
})();

// What belongs together is one stop of Tab, and arrows lead through it: the signs of a panel's head, the links of a table.
(() => {
  const groups = [
    [".panel-head", ".info, .export", ["ArrowLeft"], ["ArrowRight"]],
    [".scroll table", "a.link", ["ArrowUp", "ArrowLeft"], ["ArrowDown", "ArrowRight"]],
  ];
  document.addEventListener("keydown", event => {
    for (const [whole, parts, back, on] of groups) {
      const group = event.target.closest?.(whole);
      if (!group || event.altKey || event.ctrlKey || event.metaKey) continue;
      const stops = [...group.querySelectorAll(parts)].filter(each => each.offsetParent), at = stops.indexOf(event.target);
      const to = { Home: 0, End: stops.length - 1 }[event.key]
        ?? (back.includes(event.key) ? at - 1 : on.includes(event.key) ? at + 1 : null);
      if (at < 0 || to === null) continue;
      event.preventDefault();
      const next = stops[Math.max(0, Math.min(to, stops.length - 1))];
      stops.forEach(each => { each.tabIndex = each === next ? 0 : -1; });
      next.focus();
    }
  });
})();
