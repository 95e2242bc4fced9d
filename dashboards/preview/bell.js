// How many alarms nobody has acknowledged stands at the link to them and in the tab's title; a new one sounds, where the
// switch in the bar is on. A browser lets a page sound only after somebody has clicked or typed in it.
(() => {
  const KEY = "fenhe-sound";
  const wanted = () => { try { return localStorage.getItem(KEY) === "on"; } catch { return false; } };
  let heard = null, sound = null, clicked = false;
  const show = () => document.querySelectorAll(".bell").forEach(bell => {
    const waits = wanted() && sound?.state !== "running";
    bell.setAttribute("aria-pressed", wanted());
    bell.classList.toggle("is-on", wanted());
    bell.classList.toggle("is-waiting", waits);
    bell.title = waits ? bell.dataset.waits : bell.dataset.title;
  });
  const wake = async () => {
    if (!wanted()) return;
    sound ??= new AudioContext();
    if (sound.state !== "running") await sound.resume();
    show();
  };
  const ring = () => {
    if (!wanted() || sound?.state !== "running") return;
    [[880, 0], [660, .25], [880, .5]].forEach(([hertz, after]) => {
      const tone = sound.createOscillator(), volume = sound.createGain(), at = sound.currentTime + after;
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(.2, at);
      volume.gain.exponentialRampToValueAtTime(.001, at + .22);
      tone.connect(volume).connect(sound.destination);
      tone.start(at);
      tone.stop(at + .23);
    });
    document.documentElement.dataset.rang = Number(document.documentElement.dataset.rang ?? 0) + 1;
  };
  window.alarmsWaiting = (waiting, newest) => {
    const count = waiting === null ? "?" : waiting ? String(waiting) : "";
    document.title = (count ? `(${count}) ` : "") + document.title.replace(/^\([\d?]+\) /, "");
    document.querySelectorAll('.nav a[href*="/d/alarms"]').forEach(link => { link.dataset.waiting = count; });
    show();
    if (newest === null) return;
    if (heard !== null && newest > heard) ring();
    heard = Math.max(heard ?? 0, newest);
  };
  document.addEventListener("click", event => {
    const bell = event.target.closest?.(".bell");
    const wakes = !clicked && bell?.matches(".is-waiting");  // "click to let it ring" does not switch it off
    clicked = true;
    if (bell && !wakes) try { localStorage.setItem(KEY, wanted() ? "off" : "on"); } catch { /* no storage: for this page alone */ }
    wake().then(show);
  });
  document.addEventListener("keydown", () => wake());
  addEventListener("load", () => wake());
})();
