// The map of a network: I am in the middle, rings say how close a member is, slices and shapes say
// the sector, outlines the invitation, dashes the kind of tie. A table below it says the same.
import { h, isEmpty, quiet, words } from "./controls.js";

// look.css's light colours: a picture that leaves the page brings its own.
const LIGHT = {
  card: "#fff",
  ink: "#1d2a2f",
  soft: "#53636a",
  teal: "#0f5e5a",
  "teal-wash": "#e3efec",
  "on-teal": "#fff",
  edge: "#738287",
};
const NONE = "Not said";
const FACTS = {
  role: "Role",
  sector: "Sector",
  closeness: "Closeness",
  place: "Place",
  status: "Invitation",
  give: "You give",
  get: "You get",
  tied: "Tied to",
};
// Corners, turn (of a whole turn), size, and how deep it is between corners, by the sector's place
// among the options; the last is for none.
const SHAPES = [
  [40, 0, 11],
  [4, 0.125, 13],
  [3, 0, 13],
  [4, 0, 13],
  [6, 0, 12],
  [3, 0.5, 13],
  [5, 0, 12],
  [10, 0, 13, 0.65],
  [8, 0, 13, 0.65],
  [12, 0, 13, 0.75],
  [40, 0, 9],
];
// How a mark is drawn by its invitation, the last without one: fill, line, number, dashes, crossed.
const ASKED = ["planned", "sent", "accepted", "declined", "withdrawn"];
const OPEN = ["card", "teal", "ink", "3.5 2.5"];
const CLOSED = ["card", "soft", "ink", "", 1];
const LOOKS = [OPEN, OPEN, ["teal", "teal", "on-teal"], CLOSED, CLOSED, ["teal-wash", "teal", "ink"]];
const TIES = ["work", "know", "refer"];
const DASHES = ["", "6 4", "1 4", "9 3 2 3"]; // the last for another kind or none
const PAGE = 720; // px: a picture's width

function s(tag, props, ...children) {
  const el = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const name in props) {
    const value = props[name];
    el.setAttribute(name, LIGHT[value] ? `var(--${value})` : value);
  }
  el.append(...children);
  return el;
}

const write = (text, x, y, props) => s("text", { x, y, "text-anchor": "middle", fill: "ink", ...props }, text);
const draw = (d, props) => s("path", { d, fill: "none", "stroke-linejoin": "round", ...props });
const group = (to, ...children) => s("g", { transform: `translate(${to})` }, ...children);
const halo = { stroke: "card", "stroke-width": 3, "paint-order": "stroke" };
const thin = { stroke: "edge", "stroke-width": 0.6 };

const count = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

let pen; // what measures words, made when the first map is drawn

function width(text) {
  if (!pen) {
    pen = document.createElement("canvas").getContext("2d");
    pen.font = "12px system-ui, sans-serif";
  }
  return pen.measureText(text).width;
}

function fit(text, most) {
  if (text.length < 99 && width(text) <= most) return text;
  const letters = [...text].slice(0, 99);
  while (letters.length && width(letters.join("") + "…") > most) letters.pop();
  return letters.join("").trim() + "…";
}

/** @param {number[]} sign corners, turn, size and depth: one of SHAPES */
function shape([corners, turn, size, deep = 1]) {
  const points = Array.from({ length: corners }, (_, n) => {
    const at = (n / corners + turn - 0.25) * 2 * Math.PI;
    return [Math.cos(at), Math.sin(at)].map((one) => (one * size * (n % 2 ? deep : 1)).toFixed(1));
  });
  return `M${points.join("L")}Z`;
}

/** @param {string} d @param {(string | number)[]} look one of LOOKS */
function mark(d, [fill, stroke, , dash, crossed]) {
  return [
    draw(d, { fill, stroke, "stroke-width": 1.75, "stroke-dasharray": dash ?? "" }),
    draw(crossed ? "M-9-9 9 9M9-9-9 9" : "", { stroke }),
  ];
}

const tie = (d, dash) =>
  draw(d, { stroke: "ink", "stroke-width": 1.5, "stroke-linecap": "round", "stroke-dasharray": DASHES.at(dash) });

// What the rows say, as far as it can be drawn.
export function read(people, ties, ...tables) {
  const [columns, kinds] = [people, ties].map((prompt) =>
    Object.fromEntries(prompt.columns.map((one) => [one.key, { options: [], ...one }])),
  );
  const [rows, pairs] = tables.map((rows) => (Array.isArray(rows) ? rows : []).map((row) => row ?? {}));
  // XML has no other characters.
  const say = (column, value) =>
    column && !isEmpty(column, value)
      ? String(words(column, value))
          .replace(/[^\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "")
          .trim()
      : "";
  const points = columns.closeness?.points ?? 5;
  const sectors = (columns.sector?.options ?? []).map((one) => one.value);
  const known = new Map();
  const members = rows.flatMap((row, at) => {
    if (isEmpty({ kind: "table", ...people }, [row])) return [];
    const one = { n: at + 1, key: known.has(row.id) ? "#" + at : String(row.id ?? "#" + at), ties: [] };
    for (const key in FACTS) one[key] = say(columns[key], row[key]);
    one.name = say(columns.person, row.person) || "No name yet";
    one.ring = points - row.closeness;
    if (!(one.ring >= 0 && one.ring < points && one.ring % 1 === 0))
      Object.assign(one, { ring: points, closeness: "" });
    one.in = one.sector && row.sector;
    if (one.in && !sectors.includes(one.in)) sectors.push(one.in);
    one.shape = shape(one.in ? SHAPES[sectors.indexOf(one.in) % 10] : SHAPES[10]);
    one.look = LOOKS.at(ASKED.indexOf(row.status));
    if (!known.has(row.id)) known.set(row.id, one);
    return one;
  });
  const found = {};
  for (const { one, other, kind } of pairs) {
    const ends = [known.get(one), known.get(other)];
    if (!ends[0] || !ends[1] || ends[0] === ends[1]) continue;
    const label = say(kinds.kind, kind) || "Kind of tie not said";
    found[[...ends.map((end) => end.n).sort(), label]] = { ends, label, dash: TIES.indexOf(kind) };
  }
  const lines = Object.values(found);
  for (const { ends, label } of lines)
    ends.forEach((end, n) => {
      const to = ends[1 - n];
      end.ties.push(`${to.n}. ${to.name} (${label.toLowerCase()})`);
    });
  for (const one of members) {
    one.tied = one.ties.join("; ");
    one.says =
      `${one.n}. ${one.name}. ` +
      Object.keys(FACTS)
        .map((key) => one[key] && `${FACTS[key]}: ${one[key]}`)
        .filter(Boolean)
        .join(" · ");
  }
  return {
    members,
    lines,
    points,
    ends: columns.closeness ?? {},
    slices: [...sectors, ""].filter((sector) => members.some((one) => one.in === sector)),
    says: `${count(members.length, "member")}, ${count(lines.length, "tie")}`,
  };
}

// Where all goes on `W` px. This depends on the rows' order, sectors and rings alone, and a new
// last row finds a place beside the others: so the map holds still while someone writes.
export function place({ members, slices, points }, W) {
  const total = members.length;
  const most = W / 2 - 20;
  // Where each of `length` parts begins and ends, from 0 to 1; crowded ones get more.
  const share = (length, of, each) => {
    const weights = Array.from({ length }, (_, n) => {
      const size = members.filter((one) => of(one) === n).length;
      return total < 13 ? 1 : size ? 1 + Math.floor(size / 2) / each : 0.6;
    });
    let sum = 0;
    return [0, ...weights.map((one) => (sum += one))].map((one) => one / sum);
  };
  const bands = share(points + members.some((one) => one.ring === points), (one) => one.ring, 4);
  const turns = share(slices.length || 1, (one) => slices.indexOf(one.in), 1);

  // `side` is half of a name's room; without it names are left out.
  function attempt(side, b) {
    const a = Math.min(most, b);
    const [cx, cy] = [W / 2, b + 20];
    // Inner rings have less room, so a crowd gives them more.
    const [hole, power] = total < 13 ? [24 / a, 1] : [0.2, 0.7];
    const edges = bands.map((one) => hole + one ** power * (1 - hole));
    const at = (r, turn, out = 0) => {
      const t = (turn - 0.25) * 2 * Math.PI;
      return [cx + (a * r + out) * Math.cos(t), cy + (b * r + out) * Math.sin(t)].map(Math.round);
    };
    const taken = [];
    const block = (/** @type {number[]} */ [x, y], /** @type {number} */ r) => taken.push([x - r, y - r, x + r, y + r]);
    block([cx, cy], 18);
    for (let n = 1; n < edges.length; n++) block(at((edges[n - 1] + edges[n]) / 2, 0), 7);
    const rim = slices.map((sector, n) => {
      const mid = (turns[n] + turns[n + 1]) / 2;
      const half = Math.min(turns[n + 1] - mid, 0.2);
      const t = (mid - 0.25) * 2 * Math.PI;
      const speed = 2 * Math.PI * Math.hypot(a * Math.sin(t), b * Math.cos(t));
      const full = members.find((one) => one.in === sector).sector || NONE;
      const text = fit(full.split(/[,(]/)[0], 2 * half * speed - 8);
      const reach = (width(text) / 2 + 8) / speed;
      for (let k = -1; k <= 1; k += 0.125) block(at(1, mid + reach * k, 8), 6);
      return { text, mid, half, low: Math.sin(t) > 0.01 };
    });
    const used = {};
    const spots = [];
    for (const { ring, in: sector } of members) {
      const slice = slices.indexOf(sector);
      const [from, span] = [turns[slice], turns[slice + 1] - turns[slice]];
      const deep = edges[ring + 1] - edges[ring];
      // The first of a cell goes to its middle, the next to the middle of a half, and so on.
      let start = 0;
      let nth = (used[[slice, ring]] = (used[[slice, ring]] ?? 0) + 1);
      for (let f = 0.5; nth; nth >>= 1, f /= 2) start += (nth & 1) * f;
      const swing = (k) => (k % 2 ? 1 : -1) * Math.ceil(k / 2);
      const layers = Math.floor((deep * b) / 7) | 1;
      let spot;
      for (let i = 0; i < layers && !spot; i++) {
        const r = edges[ring] + deep * (0.5 + swing(i) / layers);
        const steps = Math.ceil(span * r * b) + 1;
        for (let k = 0; k < 2 * steps && !spot; k++) {
          const f = start + swing(k) / steps;
          if (f <= 0 || f >= 1) continue;
          const [x, y] = at(r, from + span * f);
          // A name stands away from me.
          const up = y < cy;
          const boxes = [[x - 13, y - 13, x + 13, y + 13]];
          if (side) boxes.push([x - side, y + (up ? -28 : 13), x + side, y + (up ? -13 : 28)]);
          if (
            boxes.every(
              ([x0, y0, x1, y1]) =>
                x0 >= 0 &&
                x1 <= W &&
                y0 >= 0 &&
                y1 <= cy + b + 20 &&
                taken.every((one) => x0 >= one[2] || x1 <= one[0] || y0 >= one[3] || y1 <= one[1]),
            )
          ) {
            taken.push(...boxes);
            spot = [x, y, up];
          }
        }
      }
      // Beyond all measure, better one upon the other than none.
      if (!spot && b < 9000) return null;
      spots.push(spot ?? at(edges[ring], from + span / 2));
    }
    return { W, a, b, cx, cy, edges, turns, at, rim, side, spots };
  }

  const base = Math.min(most, total < 13 ? 180 : 240);
  const large = Math.max(base, (total * 320) / most);
  let found;
  for (const side of total > 24 ? [] : W < 420 ? [32] : total < 13 ? [56, 38] : [38])
    for (let b = base; !found && b < base * 1.8; b *= 1.1) found = attempt(side, b);
  for (let b = large; !found; b *= 1.15) found = attempt(0, b);
  return found;
}

// Puts the picture into `svg`, whose marks stay the same elements as long as their members do.
function paint(svg, { members, lines, points, ends }, plan, id, listed) {
  const { W, a, b, cx, cy, edges, turns, at, rim, side, spots } = plan;
  if (!svg.firstChild) svg.append(...[1, 1, 0, 1].map((mute) => s("g", mute && { "aria-hidden": true })));
  const [back, ties, marks, key] = svg.children;
  back.replaceChildren(
    ...edges
      .slice(1)
      .reverse()
      .map((r) => s("ellipse", { cx, cy, rx: a * r, ry: b * r, fill: "teal-wash", "fill-opacity": 0.2, ...thin })),
    ...turns.slice(rim.length > 1 ? 1 : 2).map((turn) => draw(`M${at(edges[0], turn)}L${at(1, turn)}`, thin)),
    ...rim.flatMap(({ text, mid, half, low }, n) => {
      // Words at the lower half run the other way round, so that they stand upright.
      const out = low ? 14 : 5;
      const [from, to] = [at(1, mid - half, out), at(1, mid + half, out)];
      const path = `${id}-rim${n}`;
      const d = `M${low ? to : from}A${a + out} ${b + out} 0 0 ${low ? 0 : 1} ${low ? from : to}`;
      return [
        draw(d, { id: path }),
        write(s("textPath", { href: "#" + path, startOffset: "50%" }, text), 0, 0, { fill: "soft" }),
      ];
    }),
    ...edges.slice(1).map((r, n) => {
      const [x, y] = at((r + edges[n]) / 2, 0);
      return write(points - n || "?", x, y + 4, { fill: "soft", ...halo });
    }),
    s("circle", { cx, cy, r: 16, fill: "ink" }),
    write("me", cx, cy + 4, { fill: "card" }),
  );
  const drawn = {};
  ties.replaceChildren(
    ...lines.map(({ ends: two, dash }) => {
      const [[x, y], [x1, y1]] = two.map((end) => spots[members.indexOf(end)]);
      const [dx, dy] = [x1 - x, y1 - y];
      const pair = [x + x1, y + y1];
      const nth = (drawn[pair] = (drawn[pair] ?? 0) + 1);
      // It bends away from me; a second one between the same two bends more.
      const bend = 0.15 * nth * ((x - cx) * dy - (y - cy) * dx > 0 ? -1 : 1);
      return tie(`M${x} ${y}q${dx / 2 - dy * bend} ${dy / 2 + dx * bend} ${dx} ${dy}`, dash);
    }),
  );

  const kept = new Map([...marks.children].map((el) => [el.dataset.key, el]));
  members.forEach((one, n) => {
    const el = kept.get(one.key) ?? s("g", { role: "img", "data-key": one.key, class: "pcn-mark" });
    kept.delete(one.key);
    const [x, y, up] = spots[n];
    el.setAttribute("transform", `translate(${x} ${y})`);
    el.setAttribute("aria-label", one.says);
    el.replaceChildren(
      s("circle", { r: 13, fill: "transparent" }),
      ...mark(one.shape, one.look),
      write(one.n, 0, 3.5, { "font-size": 10, fill: one.look[2], ...(one.look[4] && halo) }),
    );
    if (side) el.append(write(fit(one.name.split(/[,;(]/)[0] || one.name, side * 2), 0, up ? -17 : 25, halo));
    if (marks.children[n] !== el) marks.insertBefore(el, marks.children[n]);
  });
  kept.forEach((el) => el.remove());

  // What the signs mean, each as a text and perhaps a sample.
  /** @type {[string, Element[]?][]} */
  const signs = [[`Rings: ${points} ${ends.high ?? ""}`], [`1 ${ends.low ?? ""}`]];
  if (edges.length > points + 1) signs.push([`? ${NONE}`]);
  for (const look of new Set(LOOKS)) {
    const said = members.filter((one) => one.look === look).map((one) => one.status || "Not said if asked");
    if (said[0]) signs.push([[...new Set(said)].join(" / "), mark(shape(SHAPES[10]), look)]);
  }
  for (const [label, dash] of new Map(lines.map((one) => [one.label, one.dash]))) {
    const alike = lines.filter((one) => one.label === label);
    signs.push([`${label}: ${alike.length}`, [tie("M-11 0H11", dash)]]);
  }
  if (listed && !side) for (const one of members) signs.push([`${one.n}. ${fit(one.name, 140)}`]);
  let [x, y] = [4, cy + b + 44];
  key.replaceChildren(
    ...(members.length ? signs : []).map(([text, sample = []]) => {
      const label = fit(text, W - 40);
      const inset = sample.length && 28;
      if (x + inset + width(label) > W) [x, y] = [4, y + 24];
      const sign = group(
        [x, y],
        group([12, -4], ...sample),
        write(label, inset, 0, { "text-anchor": "start", fill: "soft" }),
      );
      x += inset + width(label) + 18;
      return sign;
    }),
  );
  const height = Math.ceil(members.length ? y + 12 : cy + b + 8);
  svg.setAttribute("viewBox", `0 0 ${W} ${height}`);
  return height;
}

// The map as a picture that needs nothing else: SVG text.
export function mapSvg(people, ties, peopleRows, tieRows) {
  const model = read(people, ties, peopleRows, tieRows);
  const svg = s("svg", { "font-family": "sans-serif", "font-size": 12, width: PAGE });
  const height = paint(svg, model, place(model, PAGE), "map", true) + 48;
  const title = `My network: ${model.says}`;
  svg.setAttribute("viewBox", `0 -48 ${PAGE} ${height}`);
  svg.setAttribute("height", height);
  svg.prepend(
    s("title", null, title),
    s("desc", null, "I am in the middle. " + model.members.map((one) => one.says).join("\n")),
    s("rect", { y: -48, width: PAGE, height, fill: "card" }),
    write(title, PAGE / 2, -18, { "font-size": 18 }),
  );
  for (const el of svg.querySelectorAll("*"))
    for (const name of ["fill", "stroke"]) {
      const color = LIGHT[el.getAttribute(name)?.slice(6, -1)];
      if (color) el.setAttribute(name, color);
    }
  return new XMLSerializer().serializeToString(svg);
}

// The picture of an SVG text, at twice its size. Rejects when the browser can't draw it.
export async function mapPng(svgText) {
  const image = new Image();
  image.src = "data:image/svg+xml," + encodeURIComponent(svgText);
  await image.decode();
  const canvas = h("canvas", { width: image.width * 2, height: image.height * 2 });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done));
}

/** @type {Promise<void> | null} */
let plotly = null; // asked for once, by whichever map is first

const load = (src) =>
  (plotly ??= new Promise((/** @type {(value?: any) => void} */ done, fail) => {
    const onload = () => (window.Plotly ? done() : fail());
    document.head.append(h("script", { src, onload, onerror: fail }));
  }).catch((error) => {
    plotly = null;
    throw error;
  }));

// The view to zoom into and to move about in.
function plot(el, { members, lines }, { spots, cx, cy }) {
  const color = (name) => getComputedStyle(el).getPropertyValue("--" + name);
  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const trace = (all, more) => {
    const at = all.map((one) => spots[members.indexOf(one)] ?? [cx, cy]);
    return { x: at.map(([x]) => x - cx), y: at.map(([, y]) => cy - y), hoverinfo: "text", ...more };
  };
  const texts = (of) => ["me", ...members.map((one) => escaped(of(one)))];
  const axis = { visible: false };
  const font = { color: color("ink") };
  return window.Plotly.react(
    el,
    [
      ...lines.map(({ ends, dash }) =>
        trace(ends, {
          mode: "lines",
          hoverinfo: "skip",
          line: { color: color("soft"), dash: ["solid", "dash", "dot", "dashdot"].at(dash) },
        }),
      ),
      trace([null, ...members], {
        mode: "markers+text",
        textposition: "bottom center",
        text: texts((one) => fit(one.name, 140)),
        hovertext: texts((one) => one.says).map((text) => text.replaceAll(" · ", "<br>")),
        marker: { size: 14, color: [color("ink"), ...members.map(() => color("teal"))] },
      }),
    ],
    {
      font,
      showlegend: false,
      paper_bgcolor: color("card"),
      plot_bgcolor: color("card"),
      hoverlabel: { bgcolor: color("card"), font, align: "left" },
      dragmode: "pan",
      xaxis: axis,
      yaxis: { ...axis, scaleanchor: "x" },
      margin: { l: 8, r: 8, t: 40, b: 8 },
    },
    // As it comes, plotly offers to send the chart to a host of its own.
    { displaylogo: false, responsive: true, showSendToCloud: false, plotlyServerURL: "" },
  );
}

// `people` and `ties` are the prompts, `site` our own host's address or nothing; `id` names parts.
// `set` shows the rows of both tables.
export function makeMap({ id, people, ties, site }) {
  let given, model, plan, sketch, current;
  let W = 640;
  const svg = s("svg", { role: "group", "font-size": 12, class: "pcn-drawing" });
  const summary = h("p");
  const facts = h("p", { class: "pcn-facts" });
  const said = h("p", { role: "status" });
  const caption = h("caption");
  const body = h("tbody");
  const head = (scope) => (text) => h("th", { scope }, text);
  const table = h(
    "details",
    null,
    h("summary", null, "The same as a table"),
    h(
      "div",
      { class: "pcn-scroll", role: "region", tabindex: 0, "aria-label": "Your network as a table" },
      h(
        "table",
        { class: "pcn-table" },
        caption,
        h("thead", null, h("tr", null, ["Person", ...Object.values(FACTS)].map(head("col")))),
        body,
      ),
    ),
  );
  const picture = () => mapSvg(people, ties, ...given);
  const save = (blob, download) => {
    const href = URL.createObjectURL(blob);
    h("a", { href, download }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
  };
  const view = h("div", {
    class: "pcn-plot",
    role: "group",
    hidden: true,
    tabindex: -1,
    "aria-label": "Interactive view of your network; the table says the same",
  });
  const open = quiet("Open the interactive view", async () => {
    said.textContent = "The interactive view is loading…";
    try {
      await load(site + "pcn/plotly.min.js");
      view.hidden = false;
      await plot(view, model, plan);
      view.focus();
      open.hidden = true;
      said.textContent = "";
    } catch {
      view.hidden = true;
      said.textContent = "The interactive view did not load. The map and the table say the same.";
    }
  });
  const tools = h(
    "div",
    { class: "pcn-actions" },
    quiet("Download as picture (PNG)", async () => save(await mapPng(picture()), "my-network.png")),
    quiet("Download as drawing (SVG)", () => save(new Blob([picture()], { type: "image/svg+xml" }), "my-network.svg")),
    site != null && open,
  );
  const el = h("section", { class: "pcn-map" }, summary, svg, facts, table, tools, said, view);

  const marks = () => [...svg.children[2].children];
  const lookUp = ({ target }) => target.closest(".pcn-mark");

  // Says what there is to say about a member, and shows their ties.
  function show(key) {
    const member = model.members.find((one) => one.key === key);
    facts.textContent =
      member?.says ?? "Point at a mark, tap it, or move along the marks with the arrow keys, to read about a member.";
    model.lines.forEach(({ ends }, n) => svg.children[1].children[n].classList.toggle("pcn-on", ends.includes(member)));
  }

  // Tab leads to the mark that was last looked at, or to the first.
  function settle() {
    const all = marks();
    const stop = all.find((one) => one.dataset.key === current) ?? all[0];
    for (const one of all) one.setAttribute("tabindex", one === stop ? 0 : -1);
    show(current);
  }

  // Not of the drawing itself: that would make it a stop of its own in Chromium.
  el.addEventListener("focusin", (event) => {
    current = lookUp(event)?.dataset.key ?? current;
    settle();
  });
  svg.addEventListener("click", (event) => lookUp(event)?.focus());
  svg.addEventListener("pointerover", (event) => show(lookUp(event)?.dataset.key ?? current));
  svg.addEventListener("pointerleave", () => show(current));
  svg.addEventListener("keydown", (event) => {
    const all = marks();
    const at = all.indexOf(lookUp(event));
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: -1 }[
      event.key
    ];
    if (to == null || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    all.at(to % all.length).focus();
  });

  function update() {
    const next = JSON.stringify([W, model.slices, model.members.map((one) => [one.in, one.ring])]);
    if (next !== sketch) plan = place(model, W);
    sketch = next;
    const focused = svg.querySelector(":focus");
    paint(svg, model, plan, id, model.members.length < 25);
    if (focused?.isConnected) focused.focus({ preventScroll: true });
    settle();
  }

  function set(...rows) {
    if (JSON.stringify(rows) === JSON.stringify(given)) return;
    // The form's own rows may change in place.
    given = structuredClone(rows);
    model = read(people, ties, ...given);
    const { members, says } = model;
    summary.textContent = members.length ? says : "Add people above, and they appear here.";
    svg.setAttribute("aria-label", `Map of your network: you in the middle, ${says}`);
    caption.textContent = `Your network: ${says}`;
    body.replaceChildren(
      ...members.map((one) =>
        h(
          "tr",
          null,
          head("row")(`${one.n}. ${one.name}`),
          Object.keys(FACTS).map((key) => h("td", null, one[key] || (key === "tied" ? "Nobody yet" : NONE))),
        ),
      ),
    );
    facts.hidden = table.hidden = tools.hidden = !members.length;
    update();
    if (open.hidden) plot(view, model, plan);
  }

  new ResizeObserver(([{ contentRect }]) => {
    const wide = Math.min(PAGE, Math.floor(contentRect.width / 10) * 10);
    if (wide < 100 || wide === W) return;
    W = wide;
    update();
  }).observe(el);
  set([], []);
  return { el, set };
}
