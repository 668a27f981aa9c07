// A table's numbers as lying bars, drawn by plotly from our own host. Nothing is said by colour
// alone: each mark has its number, and in a stack its name, and the table beside it has them all.

/** @type {Promise<void> | null} */
let plotly = null; // asked for once

// Get plotly. Rejects when it does not come.
export const load = (src) =>
  (plotly ??= new Promise((/** @type {(value?: any) => void} */ done, fail) => {
    const script = document.createElement("script");
    script.src = src;
    script.onload = () => (window.Plotly ? done() : fail(new Error("no Plotly")));
    script.onerror = fail;
    document.head.append(script);
  }).catch((error) => {
    plotly = null;
    throw error;
  }));

const LINE = { stack: 34, bars: 17, gap: 14, label: 16 }; // px that a bar, what parts bars, and a line of words take
const parts = (hex) => {
  const full =
    hex.length === 4
      ? [...hex]
          .slice(1)
          .map((one) => one + one)
          .join("")
      : hex.slice(1);
  return [0, 2, 4].map((at) => parseInt(full.slice(at, at + 2), 16));
};
const mixed = (one, other, share) => {
  const [a, b] = [parts(one), parts(other)];
  return (
    "#" +
    a
      .map((n, at) =>
        Math.round(n * share + b[at] * (1 - share))
          .toString(16)
          .padStart(2, "0"),
      )
      .join("")
  );
};
// Relative luminance, and contrast, as WCAG 2.2 defines them.
const luminance = (hex) => {
  const [r, g, b] = parts(hex)
    .map((n) => n / 255)
    .map((n) => (n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (one, other) => {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
};
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
// Words in lines of about `width` letters, of which two are shown.
function wrap(text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last && last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  const shown = lines.slice(0, 2).map(escaped);
  if (lines.length > 2) shown[1] += "…";
  return shown;
}

// Draw `chart` (see instructor/cohort.py) into `el`.
export async function draw(el, chart) {
  const style = getComputedStyle(el);
  const color = (name) => style.getPropertyValue("--" + name).trim();
  const [ink, paper, teal, card, edge] = ["ink", "on-teal", "teal", "card", "edge"].map(color);
  const { lines, groups, series, stack, gaps } = chart;
  const narrow = el.clientWidth < 480;
  const number = new Intl.NumberFormat();
  // Bars with the same words are apart by their place.
  const at = lines.map((_, n) => n);
  const labels = lines.map((line, n) => {
    const first = groups && groups[n] !== groups[n - 1];
    return [...(first ? [`<b>${escaped(groups[n])}</b>`] : []), ...wrap(line, narrow ? 14 : 28)];
  });
  const traces = series.map(({ name, short, values }, n) => {
    const share = series.length === 1 ? 1 : 1 - n / (series.length - (stack ? 1 : 0.5));
    const fill = mixed(teal, card, Math.max(0.04, share));
    const said = (value, line) => (value == null ? (gaps?.[n][line] ?? "") : number.format(value));
    const inside = contrast(ink, fill) > contrast(paper, fill) ? ink : paper;
    return {
      type: "bar",
      orientation: "h",
      name: escaped(name),
      y: at,
      x: values.map((value) => value ?? 0),
      text: values.map((value, line) => {
        const text = said(value, line);
        return stack ? (value ? `${escaped(short)}: ${text}` : "") : [escaped(short), text].filter(Boolean).join(": ");
      }),
      textposition: stack ? "inside" : "outside",
      insidetextanchor: "middle",
      textangle: 0,
      cliponaxis: false,
      textfont: { color: stack ? inside : ink, size: narrow ? 11 : 12 },
      hovertemplate: values.map(
        (value, line) => `${escaped(lines[line])}<br>${escaped(name)}: ${said(value, line)}<extra></extra>`,
      ),
      marker: { color: fill, line: { color: edge, width: 1 } },
    };
  });
  const tall = Math.max(...labels.map((one) => one.length)) * LINE.label + 4;
  const each = Math.max(tall, stack ? LINE.stack : LINE.bars * series.length + LINE.gap);
  const most = Math.max(1, ...series.flatMap(({ values }) => values.map((one) => one ?? 0)));
  const font = { color: ink, family: style.fontFamily, size: 12 };
  // A stack that lacks a part says so at its end.
  const whole = (line) => series.reduce((sum, { values }) => sum + (values[line] ?? 0), 0);
  const annotations =
    !stack || !gaps
      ? []
      : at
          .filter((line) => gaps.some((one) => one[line]))
          .map((line) => ({
            x: whole(line),
            y: line,
            xanchor: "left",
            showarrow: false,
            font: { color: color("soft"), size: 12 },
            text: whole(line) ? "rest not shown" : "not shown",
          }));
  // As wide as the longest bar, and wide enough for the words at the end of one.
  const wide = Math.max(1, 1.02 * Math.max(...at.map(whole)), ...annotations.map(({ x }) => x / (narrow ? 0.4 : 0.75)));
  await window.Plotly.react(
    el,
    traces,
    {
      annotations,
      font,
      barmode: stack ? "stack" : "group",
      bargap: series.length === 1 ? 0.5 : 0.25,
      height: lines.length * each + (stack ? 150 : 90),
      paper_bgcolor: card,
      plot_bgcolor: card,
      showlegend: stack || series.length > 1,
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "bottom", traceorder: "normal" },
      uniformtext: stack ? { minsize: 11, mode: "hide" } : undefined,
      xaxis: {
        title: { text: escaped(chart.unit), font },
        gridcolor: color("line"),
        zeroline: false,
        rangemode: "tozero",
        fixedrange: true,
        tickformat: ",d",
        range: stack ? [0, wide] : [0, most * (!narrow ? 1.4 : series.length > 1 ? 3.6 : 2.4)],
        nticks: narrow ? 4 : 6,
      },
      yaxis: {
        tickvals: at,
        ticktext: labels.map((one) => one.join("<br>")),
        range: [lines.length - 0.5, -0.5],
        automargin: true,
        fixedrange: true,
      },
      hoverlabel: { bgcolor: card, bordercolor: edge, font, align: "left" },
      margin: { l: 8, r: 12, t: 8, b: 48 },
      // As it comes, plotly offers to send the chart to a host of its own.
    },
    { displaylogo: false, displayModeBar: false, responsive: true, showSendToCloud: false, plotlyServerURL: "" },
  );
  // Where plotly measures letters, far outside of the page: nobody is to meet it.
  document.getElementById("js-plotly-tester")?.setAttribute("aria-hidden", "true");
}
