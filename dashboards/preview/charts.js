// Charts over time: dragging looks closer, a double click looks at twice as much. Every chart: its picture as a file.
(() => {
  const TIMED = ".panel.is-timeseries .chart, .panel.is-state-timeline .chart, .panel.is-heatmap .chart";
  const LEAST_PX = 6;
  const chartOf = box => getElement(Number(box.id.slice(1)))?.chart;

  // What an axis over time shows: its two ends, and the moment below a pixel.
  const axisOf = chart => {
    const [axis] = chart.getOption().xAxis ?? [];
    if (axis?.type === "time") return {ends: [axis.min, axis.max], at: x => chart.convertFromPixel({xAxisIndex: 0}, x)};
    const cells = (axis?.data ?? []).map(Number);  // a heat map: one cell per bucket, named by its beginning
    if (cells.length < 2) return null;
    const length = cells[1] - cells[0];
    const at = (x, isEnd) => cells[chart.convertFromPixel({xAxisIndex: 0}, x)] + (isEnd ? length : 0);
    return {ends: [cells[0], cells.at(-1) + length], at};
  };

  let drag = null;
  const within = (event, box) => {
    const area = box.getBoundingClientRect();
    return [event.clientX - area.left, event.clientY - area.top];
  };
  const cancel = () => { drag?.mark.remove(); drag = null; };

  document.addEventListener("pointerdown", event => {
    const box = event.target.closest?.(TIMED);
    if (!box || event.button !== 0 || event.pointerType === "touch") return;  // a finger scrolls
    const chart = chartOf(box), start = within(event, box);
    if (!chart?.containPixel({gridIndex: 0}, start) || !axisOf(chart)) return;
    const mark = document.createElement("div");
    mark.className = "dragged";
    box.append(mark);
    drag = {box, chart, mark, from: start[0], to: start[0]};
  });
  document.addEventListener("pointermove", event => {
    if (!drag) return;
    const [x] = within(event, drag.box), y = drag.box.clientHeight / 2;
    // Only as far as the axis goes: what lies beyond it is not drawn.
    if (drag.chart.containPixel({gridIndex: 0}, [x, y])) drag.to = x;
    drag.mark.style.left = `${Math.min(drag.from, drag.to)}px`;
    drag.mark.style.width = `${Math.abs(drag.to - drag.from)}px`;
  });
  document.addEventListener("pointerup", () => {
    if (drag && Math.abs(drag.to - drag.from) >= LEAST_PX) {
      const axis = axisOf(drag.chart), [left, right] = [drag.from, drag.to].sort((a, b) => a - b);
      emitEvent("zoom", {from: axis.at(left, false), to: axis.at(right, true)});
    }
    cancel();
  });
  document.addEventListener("pointercancel", cancel);
  document.addEventListener("keydown", event => { if (event.key === "Escape") cancel(); });
  document.addEventListener("dblclick", event => {
    const box = event.target.closest?.(TIMED), chart = box && chartOf(box), axis = chart && axisOf(chart);
    if (!axis || !chart.containPixel({gridIndex: 0}, within(event, box))) return;
    const [from, to] = axis.ends, half = (to - from) / 2;
    emitEvent("zoom", {from: from - half, to: to + half});
  });
  window.addEventListener("popstate", () => location.reload());

  // A picture says what it is of: the panel's title, and below it page, plant, range and when it was taken.
  const said = () => [...document.querySelectorAll(".bar .field")]
    .filter(field => !field.querySelector("[data-control=refresh]"))
    .map(field => {
      const value = field.querySelector(".q-field__native")?.innerText.trim();
      return field.querySelector("[data-control=range]") ? value : `${field.querySelector(".field-name").innerText} ${value}`;
    });
  document.addEventListener("click", event => {
    const link = event.target.closest?.(".is-picture");
    if (!link) return;
    event.preventDefault();
    const panel = link.closest(".panel"), chart = chartOf(panel.querySelector(".chart"));
    const style = getComputedStyle(panel), scale = 2, head = 46;
    const drawn = chart.renderToCanvas({pixelRatio: scale, backgroundColor: style.backgroundColor});
    const picture = document.createElement("canvas"), pen = picture.getContext("2d");
    picture.width = drawn.width;
    picture.height = drawn.height + head * scale;
    pen.fillStyle = style.backgroundColor;
    pen.fillRect(0, 0, picture.width, picture.height);
    pen.drawImage(drawn, 0, head * scale);
    pen.scale(scale, scale);
    pen.fillStyle = style.color;
    pen.font = `600 14px ${style.fontFamily}`;
    pen.fillText(panel.querySelector(".panel-title").innerText, 10, 20);
    pen.globalAlpha = 0.65;
    pen.font = `12px ${style.fontFamily}`;
    const now = new Date().toLocaleString("sv-SE", {timeZone: panel.parentElement.dataset.zone}).slice(0, 16);
    pen.fillText([document.title.replace(/^\([\d?]+\) /, "").split(" · ")[0], ...said(), now].join(" · "), 10, 38);
    const file = document.createElement("a"), [, , page] = location.pathname.split("/");
    file.download = `fenhe-${page}-${panel.dataset.panel}-${now.replace(/[-:]/g, "").replace(" ", "-")}.png`;
    file.href = picture.toDataURL("image/png");
    file.click();
  });
})();
