// Draws the charts of a report. The figures are in the page, as is uPlot.
(() => {
  "use strict";
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const root = document.documentElement;
  const COLOURS = 8;
  // More lines than colours: the next eight are dashed, those after them dotted.
  const DASHES = [[], [8, 4], [2, 3]];
  const dash = (at) => DASHES[Math.floor(at / COLOURS) % DASHES.length];
  const colour = (at) => `var(--line-${(at % COLOURS) + 1})`;
  const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const MANY = 8;
  // Charts are as wide as paper is, when printed.
  const PAPER = 660;

  const minus = (text) => text.replace("-", "−");
  const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
  const exact = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
  const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });
  const number = (value) => minus((Math.abs(value) < 999.5 ? short : whole).format(value));
  const ticks = (values) => {
    const { format } = values.some((value) => Math.abs(value) >= 1e4) ? compact : exact;
    return values.map((value) => (value == null ? "" : minus(format(value))));
  };

  // One time axis for all charts, so that what is below one another happened together.
  let first = Infinity;
  let last = -Infinity;
  for (const { series } of charts)
    for (const { times } of series)
      for (const time of times) {
        first = Math.min(first, time);
        last = Math.max(last, time);
      }
  if (last <= first) last = first + 1;

  // The vertical axis begins at 0, so that heights can be compared.
  const linear = (_, min, max) => {
    if (min == null) return [0, 1];
    const low = Math.min(0, min);
    const high = Math.max(0, max);
    if (low === high) return [0, 1];
    return [low && low - (high - low) * 0.05, high && high + (high - low) * 0.05];
  };
  const logarithmic = (_, min, max) => {
    if (min == null) return [1, 10];
    return uPlot.rangeLog(min, max, 10, false);
  };
  // Over several decades the lines between them would only be grey.
  const decades = (u, at) => {
    const { min, max } = u.scales.y;
    const power = (value) => Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-6;
    return max / min < 300 ? at : at.map((value) => (power(value) ? value : null));
  };

  // A value that has none next to it makes no line: it is drawn as a dot.
  const alone = (u, at) => {
    const values = u.data[at];
    const found = [];
    const near = (from, step) => {
      let i = from + step;
      while (i >= 0 && i < values.length && values[i] === undefined) i += step;
      return values[i] ?? null;
    };
    for (let i = 0; i < values.length; i++)
      if (values[i] != null && near(i, -1) == null && near(i, 1) == null) found.push(i);
    return found;
  };

  // The point of a line that the cursor is nearest to, or null before its first and after its last one.
  const nearest = (u, at, hovered, time) => {
    if (at === 0) return hovered;
    const [times, values] = [u.data[0], u.data[at]];
    if (values[hovered] !== undefined) return hovered;
    let left = hovered;
    let right = hovered;
    while (left >= 0 && values[left] === undefined) left--;
    while (right < values.length && values[right] === undefined) right++;
    if (left < 0 || right >= values.length) return null;
    return time - times[left] <= times[right] - time ? left : right;
  };

  const legend = (chart, box) =>
    chart.series.map((line, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("viewBox", "0 0 22 8");
      svg.setAttribute("aria-hidden", "true");
      const mark = document.createElementNS("http://www.w3.org/2000/svg", "line");
      for (const [name, value] of Object.entries({ x1: 0, x2: 22, y1: 4, y2: 4 })) mark.setAttribute(name, value);
      mark.style.stroke = colour(at);
      mark.style.strokeDasharray = dash(at).join(" ");
      svg.append(mark);
      const name = document.createElement("span");
      name.textContent = line.name;
      const value = document.createElement("b");
      value.textContent = line.mean;
      // As wide as its widest value, so that nothing moves while the cursor does.
      const wider = (max, here) => (here == null ? max : Math.max(max, number(here).length));
      const widest = line.values.reduce(wider, line.mean.length);
      value.style.minWidth = `${widest}ch`;
      button.append(svg, name, value);
      box.append(button);
      return { button, value };
    });

  const axes = (chart) => {
    const common = {
      stroke: () => css("--muted"),
      font: "12px system-ui, sans-serif",
      labelFont: "12px system-ui, sans-serif",
      grid: { stroke: () => css("--grid"), width: 1 },
      ticks: { stroke: () => css("--grid"), width: 1, size: 5 },
    };
    const filter = chart.logarithmic ? { filter: decades } : {};
    const width = (u, values) => {
      if (values == null) return 40;
      u.ctx.font = common.font;
      return 16 + Math.max(0, ...values.map((text) => u.ctx.measureText(text).width));
    };
    return [
      {
        ...common,
        space: 60,
        size: 30,
        label: "time (s)",
        labelSize: 18,
        labelGap: 0,
        values: (_, at) => at.map((time) => minus(exact.format(time))),
      },
      {
        ...common,
        space: chart.logarithmic ? 22 : 36,
        size: width,
        grid: { ...common.grid, ...filter },
        ticks: { ...common.ticks, ...filter },
        values: (_, at) => ticks(at),
      },
    ];
  };

  const draw = (figure) => {
    const chart = charts[Number(figure.dataset.chart)];
    const plot = figure.querySelector(".plot");
    if (!plot) return null;
    const box = figure.querySelector(".legend");
    const readout = box.querySelector(".readout");
    const entries = legend(chart, box);
    const many = chart.series.length > MANY;
    const shown = (u) => {
      const { idx, idxs, left } = u.cursor;
      const over = left >= 0 && idx != null;
      readout.textContent = over ? `at ${number(u.data[0][idx])} s` : "mean";
      entries.forEach(({ value }, at) => {
        const here = over && idxs[at + 1] != null ? u.data[at + 1][idxs[at + 1]] : null;
        value.textContent = over ? (here == null ? "–" : number(here)) : chart.series[at].mean;
      });
    };
    const marked = (_, focused, options) => {
      if (options.focus == null) return;
      entries.forEach(({ button }, at) => button.classList.toggle("near", at + 1 === focused));
    };
    const line = ({ name }, at) => ({
      label: name,
      stroke: () => css(`--line-${(at % COLOURS) + 1}`),
      width: many ? 1.5 : 2,
      dash: dash(at),
      points: { show: true, filter: alone, size: 6, fill: () => css(`--line-${(at % COLOURS) + 1}`) },
    });
    const size = () => ({ width: Math.max(plot.clientWidth, 200), height: many ? 320 : 240 });
    const u = new uPlot(
      {
        ...size(),
        padding: [10, 14, 0, 0],
        legend: { show: false },
        focus: { alpha: 0.25 },
        cursor: {
          y: false,
          dataIdx: nearest,
          sync: { key: "time", setSeries: false, scales: ["x", null] },
          focus: { prox: many ? 12 : -1 },
          points: { size: 7 },
        },
        scales: {
          x: { time: false, range: (_, min, max) => (min == null ? [first, last] : [min, max]) },
          y: chart.logarithmic ? { distr: 3, log: 10, range: logarithmic } : { range: linear },
        },
        axes: axes(chart),
        series: [{}, ...chart.series.map(line)],
        hooks: { setCursor: [shown], setSeries: [marked] },
      },
      // uPlot takes the ends of the times for the whole axis: the common ones stand first and last.
      uPlot.join([[[first, last]], ...chart.series.map(({ times, values }) => [times, values])]),
      plot,
    );
    shown(u);
    // A double-click zooms out; the text below is not to be selected by it.
    plot.addEventListener("mousedown", (event) => event.detail > 1 && event.preventDefault());
    entries.forEach(({ button }, at) => {
      const focus = (on) => u.setSeries(on ? at + 1 : null, { focus: true });
      button.addEventListener("click", () => {
        const show = !u.series[at + 1].show;
        u.setSeries(at + 1, { show });
        button.setAttribute("aria-pressed", String(show));
      });
      for (const name of ["mouseenter", "focus"]) button.addEventListener(name, () => focus(true));
      for (const name of ["mouseleave", "blur"]) button.addEventListener(name, () => focus(false));
    });
    return { u, plot, size };
  };

  const drawn = [...document.querySelectorAll("[data-chart]")].map(draw).filter(Boolean);
  const fit = new ResizeObserver(() => {
    if (root.classList.contains("printing")) return;
    for (const { u, size } of drawn) if (size().width !== u.width) u.setSize(size());
  });
  for (const { plot } of drawn) fit.observe(plot);

  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => drawn.forEach(({ u }) => u.redraw(false, true)));

  // On paper: light, as wide as the page, and with the values, as paper has no cursor.
  const details = [...document.querySelectorAll("details")];
  let open = [];
  addEventListener("beforeprint", () => {
    open = details.map((one) => one.open);
    for (const one of details) one.open = true;
    root.classList.add("printing");
    for (const { u, size } of drawn) u.setSize({ ...size(), width: PAPER });
  });
  addEventListener("afterprint", () => {
    root.classList.remove("printing");
    details.forEach((one, at) => (one.open = open[at]));
    for (const { u, size } of drawn) u.setSize(size());
  });
})();
