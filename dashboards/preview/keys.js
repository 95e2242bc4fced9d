// A page whose address names no theme has the one that the system prefers; the switch in the bar names one.
(() => {
  const query = new URLSearchParams(location.search);
  if (query.has("theme") || !matchMedia("(prefers-color-scheme: light)").matches) return;
  query.set("theme", "light");
  location.replace(`${location.pathname}?${query}${location.hash}`);
})();

// `/` or Ctrl-K goes to the search box, arrows through what was found, Enter to the first, Escape away.
(() => {
  const box = () => document.querySelector(".search input");
  const hits = () => [...document.querySelectorAll(".hits .hit")];
  document.addEventListener("keydown", event => {
    const typing = event.target.matches("input, textarea, [contenteditable]");
    if ((event.key === "/" && !typing) || (event.key === "k" && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      box()?.focus();
      return;
    }
    const found = hits(), at = found.indexOf(document.activeElement);
    if (event.target !== box() && at < 0) return;
    if (event.key === "Escape") document.activeElement.blur();
    else if (event.key === "ArrowDown" && found.length) found[Math.min(at + 1, found.length - 1)].focus();
    else if (event.key === "ArrowUp") (at > 0 ? found[at - 1] : box()).focus();
    else if (event.key === "Enter" && at < 0 && found.length) found[0].click();
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
