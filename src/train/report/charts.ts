import type ChartClass from "chart.js/auto";

/** What the page's script draws; the element ids are those of canvases. */
export interface Figures {
  curves: Curves[];
  parity?: Parity;
  /** Further ones. */
  parities?: Parity[];
  histogram?: Bars;
  lines?: Lines[];
}

export interface Curves {
  id: string;
  axis: string;
  epochs: number[];
  series: { name: string; color: string; values: (number | null)[] }[];
  best?: number;
  /** Whether it starts with a logarithmic axis; undefined where values ≤ 0 forbid one. */
  log?: boolean;
}

export interface Parity {
  id: string;
  xAxis: string;
  yAxis: string;
  range: [number, number];
  series: { name: string; color: string; points: { x: number; y: number; name: string }[] }[];
}

export interface Bars {
  id: string;
  axis: string;
  color: string;
  start: number;
  width: number;
  counts: number[];
}

/** Lines over equal axes. */
export interface Lines {
  id: string;
  xAxis: string;
  yAxis: string;
  range: [number, number];
  /** A dashed line where both are equal. */
  diagonal?: boolean;
  /** Points of the lines are marked. */
  marks?: boolean;
  series: { name: string; points: { x: number; y: number }[] }[];
}

/**
 * Draws all figures, again whenever the colours change (dark, light, paper), and makes the page's buttons work. It runs in the
 * page, where only its own source text arrives: it must not refer to anything outside itself.
 */
export function drawFigures(Chart: typeof ChartClass, figures: Figures): void {
  const root = document.documentElement;
  const color = (name: string) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const digits = (x: number) => String(Number(x.toPrecision(4))).replace("-", "−");
  const logarithmic = new Map(figures.curves.map(({ id, log }) => [id, log === true]));
  const canvas = (id: string) => document.getElementById(id) as HTMLCanvasElement;
  const PALETTE = ["test", "validation", "good", "e6", "train", "e4"];
  let charts: { destroy(): void; resize(): void }[] = [];

  const axis = (title: string, more: object = {}) => ({
    title: { display: true, text: title, color: color("muted") },
    grid: { color: color("grid") },
    border: { color: color("line") },
    ticks: {
      color: color("muted"),
      maxRotation: 0,
      autoSkipPadding: 16,
      includeBounds: title === "epoch",
      precision: title === "epoch" ? 0 : undefined,
    },
    ...more,
  });
  const line = (name: string, from: string, more: object) => ({
    label: name,
    borderColor: color(from),
    backgroundColor: color(from),
    borderWidth: 1.75,
    pointRadius: 0,
    ...more,
  });
  const legend = (display: boolean) => ({
    display,
    align: "end" as const,
    labels: {
      color: color("ink"),
      boxWidth: 7,
      boxHeight: 7,
      usePointStyle: true,
      pointStyle: "circle" as const,
      filter: ({ text }: { text: string }) => text !== "",
    },
  });
  const diagonal = (from: number, to: number) => ({
    ...line("", "muted", { borderWidth: 1, borderDash: [4, 4], pointHitRadius: 0, showLine: true }),
    type: "line" as const,
    order: 10,
    data: [
      { x: from, y: from },
      { x: to, y: to },
    ],
  });

  function drawCurves({ id, axis: title, epochs, series, best }: Curves) {
    const alone = epochs.length === 1 ? 1 : 0;
    const log = logarithmic.get(id);
    return new Chart(canvas(id), {
      type: "line",
      data: {
        datasets: series.map(({ name, color: from, values }) =>
          line(name, from, {
            data: epochs.map((x, i) => ({ x, y: values[i] })),
            pointRadius: 3 * alone,
            pointHoverRadius: 3,
            spanGaps: true,
          }),
        ) as never,
      },
      options: {
        interaction: { mode: "index", intersect: false },
        scales: {
          x: axis("epoch", { type: "linear", min: epochs[0] - alone, max: epochs[epochs.length - 1] + alone }),
          y: axis(title, { type: log ? "logarithmic" : "linear", grace: log ? undefined : "5%" }),
        },
        plugins: {
          legend: legend(true),
          tooltip: {
            callbacks: {
              title: (items) => `epoch ${items[0]?.parsed.x}${items[0]?.parsed.x === best ? " (best)" : ""}`,
              label: (item) => `${item.dataset.label}: ${digits(item.parsed.y as number)}`,
            },
          },
        },
      },
      plugins: [
        {
          id: "best",
          afterDatasetsDraw({ ctx, chartArea: area, scales }) {
            if (best === undefined) return;
            const x = scales.x.getPixelForValue(best);
            const left = x > (area.left + area.right) / 2;
            // The words go where the curves are not.
            const value = series[series.length - 1].values[epochs.indexOf(best)];
            const high = value !== null && scales.y.getPixelForValue(value) < (area.top + area.bottom) / 2;
            ctx.save();
            ctx.strokeStyle = ctx.fillStyle = color("good");
            ctx.setLineDash([3, 3]);
            ctx.beginPath();
            ctx.moveTo(x, area.top);
            ctx.lineTo(x, area.bottom);
            ctx.stroke();
            ctx.font = `12px ${Chart.defaults.font.family}`;
            ctx.textAlign = left ? "right" : "left";
            ctx.fillText(`best epoch ${best}`, x + (left ? -6 : 6), high ? area.bottom - 8 : area.top + 12);
            ctx.restore();
          },
        },
      ],
    });
  }

  function drawParity({ id, xAxis, yAxis, range: [min, max], series }: Parity) {
    return new Chart(canvas(id), {
      type: "scatter",
      data: {
        datasets: [
          ...series.map(({ name, color: from, points }, i) => ({
            label: name,
            data: points,
            backgroundColor: `${color(from)}80`,
            borderWidth: 0,
            pointRadius: points.length > 1000 ? 2 : 3,
            order: series.length - i,
          })),
          diagonal(min, max) as never,
        ],
      },
      options: {
        interaction: { mode: "nearest", intersect: true },
        scales: { x: axis(xAxis, { min, max }), y: axis(yAxis, { min, max }) },
        plugins: {
          legend: legend(true),
          tooltip: {
            displayColors: false,
            filter: (item, index) => index === 0 && item.datasetIndex < series.length,
            callbacks: {
              title: (items) => items.map((item) => series[item.datasetIndex].points[item.dataIndex].name),
              label: ({ parsed: { x, y } }) =>
                x === null || y === null ? "" : `target ${digits(x)}, predicted ${digits(y)}, error ${digits(y - x)}`,
            },
          },
        },
      },
    });
  }

  function drawBars({ id, axis: title, color: from, start, width, counts }: Bars) {
    const data = counts.map((y, i) => ({ x: start + (i + 0.5) * width, y }));
    return new Chart(canvas(id), {
      type: "bar",
      data: {
        datasets: [{ data, backgroundColor: color(from), barPercentage: 0.94, categoryPercentage: 1, grouped: false }],
      },
      options: {
        scales: {
          x: axis(title, { type: "linear", offset: false, min: start, max: start + counts.length * width }),
          y: axis("rows", { beginAtZero: true }),
        },
        plugins: {
          legend: legend(false),
          tooltip: {
            callbacks: {
              title: ([item]) => {
                const from = start + item.dataIndex * width;
                return `${digits(from)} to ${digits(from + width)}`;
              },
              label: (item) => `${item.parsed.y} rows`,
            },
          },
        },
      },
    });
  }

  function drawLines({ id, xAxis, yAxis, range: [min, max], diagonal: equal, marks, series }: Lines) {
    return new Chart(canvas(id), {
      type: "line",
      data: {
        datasets: [
          ...(series.map(({ name, points }, i) =>
            line(name, PALETTE[i % PALETTE.length], { data: points, borderWidth: 2, pointRadius: marks ? 3 : 0 }),
          ) as never[]),
          ...(equal ? [diagonal(min, max) as never] : []),
        ],
      },
      options: {
        interaction: { mode: "nearest", intersect: false },
        scales: {
          x: axis(xAxis, { type: "linear", min, max }),
          y: axis(yAxis, { min, max }),
        },
        plugins: {
          legend: legend(true),
          tooltip: {
            filter: (item) => item.datasetIndex < series.length,
            callbacks: {
              title: (items) => series[items[0]?.datasetIndex]?.name ?? "",
              label: ({ parsed: { x, y } }) => `${xAxis} ${digits(x ?? 0)}, ${yAxis} ${digits(y ?? 0)}`,
            },
          },
        },
      },
    });
  }

  function draw() {
    for (const chart of charts) chart.destroy();
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    charts = figures.curves.map(drawCurves);
    if (figures.parity) charts.push(drawParity(figures.parity));
    for (const parity of figures.parities ?? []) charts.push(drawParity(parity));
    if (figures.histogram) charts.push(drawBars(figures.histogram));
    for (const lines of figures.lines ?? []) charts.push(drawLines(lines));
  }

  Chart.defaults.animation = false;
  Chart.defaults.maintainAspectRatio = false;
  Chart.defaults.locale = "en-US";
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  for (const [type, printing] of [
    ["beforeprint", true],
    ["afterprint", false],
  ] as const) {
    addEventListener(type, () => {
      root.classList.toggle("printing", printing);
      draw();
    });
  }

  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-log]")) {
    const id = button.dataset.log ?? "";
    button.addEventListener("click", () => {
      logarithmic.set(id, !logarithmic.get(id));
      button.setAttribute("aria-pressed", String(logarithmic.get(id)));
      draw();
    });
  }
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy ?? "")?.textContent ?? "");
      button.textContent = "copied";
    });
  }
  for (const cell of document.querySelectorAll<HTMLElement>(".el[title]")) {
    const elements = cell.closest(".elements");
    const show = () => {
      elements?.querySelector(".el.here")?.classList.remove("here");
      cell.classList.add("here");
      const readout = elements?.querySelector(".readout");
      if (readout) readout.textContent = cell.title;
    };
    cell.addEventListener("pointerenter", show);
    cell.addEventListener("click", show);
  }
}
