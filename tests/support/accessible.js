// What the eye meets on a page. Each function returns what is wrong, in words.
(() => {
  const dialog = document.querySelector("dialog:modal");
  const visible = { visibilityProperty: true, opacityProperty: true };
  const hidden = ".pcn-sr, .pcn-skip:not(:focus), [inert]";
  const seen = (el) => el.checkVisibility(visible) && !el.closest(hidden);
  const all = () => [...(dialog ?? document.body).querySelectorAll("*")].filter(seen);
  const own = (el) => [...el.childNodes].filter((one) => one.nodeType === 3 && one.data.trim());
  const texts = () => all().filter((el) => own(el).length && !/^(TEXTAREA|OPTION|SCRIPT|STYLE)$/.test(el.tagName));
  const words = (el) =>
    (el.labels?.[0]?.textContent || el.textContent || el.value || el.getAttribute("aria-label") || "")
      .trim()
      .replace(/\s+/g, " ")
      .slice(0, 60);
  const say = (el) => `${el.localName}${el.className && "." + el.className} “${words(el)}”`;
  const overlap = (a, b) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;

  // The page scrolls sideways, something leaves the window, or words are cut or lie on others.
  function cutOff() {
    const { clientWidth: width } = document.documentElement;
    const wrong = [];
    const { scrollWidth } = document.scrollingElement;
    if (scrollWidth > width) wrong.push(`the page is ${scrollWidth} px wide on ${width}`);
    for (const el of all()) {
      const { left, right } = el.getBoundingClientRect();
      if (right - left && (right > width + 1 || left < -1) && !el.closest("pre, [role=region]"))
        wrong.push(`${say(el)} reaches from ${left} to ${right} on ${width}`);
    }
    for (const el of texts()) {
      const range = new Range();
      for (const text of own(el)) {
        range.selectNodeContents(text);
        const { left, right, top, bottom } = range.getBoundingClientRect();
        for (let at = el; at && at !== document.body; at = at.parentElement) {
          const { overflowX, overflowY } = getComputedStyle(at);
          const box = at.getBoundingClientRect();
          if (/hidden|clip/.test(overflowX) && (right > box.right + 1 || left < box.left - 1))
            wrong.push(`${say(el)} is cut at its side`);
          if (/hidden|clip/.test(overflowY) && (bottom > box.bottom + 1 || top < box.top - 1))
            wrong.push(`${say(el)} is cut at its end`);
        }
      }
    }
    for (const line of all().filter((el) => el.matches(".pcn-line, .pcn-head, .pcn-header, .pcn-actions"))) {
      const parts = [...line.children].filter(seen);
      const boxes = parts.map((el) => el.getBoundingClientRect());
      parts.forEach((one, i) => {
        if (one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline")
          wrong.push(`${say(one)} is wider than its place`);
        parts.forEach((other, j) => {
          if (i < j && overlap(boxes[i], boxes[j])) wrong.push(`${say(one)} lies on ${say(other)}`);
        });
      });
    }
    return [...new Set(wrong)];
  }

  // Texts below 4.5:1, also those that are disabled and placeholders, and borders below 3:1.
  function faint() {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const known = new Map();
    const parse = (color) => {
      if (known.has(color)) return known.get(color);
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      known.set(color, [r, g, b, a / 255]);
      return known.get(color);
    };
    const over = (top, under) => [0, 1, 2].map((n) => top[n] * top[3] + under[n] * (1 - top[3]));
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
    const ratio = (one, other) => {
      const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
      return (high + 0.05) / (low + 0.05);
    };
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const up = (el, value) => {
      const found = [];
      for (let at = el; at; at = at.parentElement) found.push(value(getComputedStyle(at)));
      return found;
    };
    const ground = (el) =>
      up(el, (style) => parse(style.backgroundColor)).reduceRight(
        (under, top) => over(top, under),
        dark ? [18, 18, 18] : [255, 255, 255],
      );
    const opacity = (el) => up(el, (style) => Number(style.opacity)).reduce((a, b) => a * b);
    const wrong = [];
    const judge = (el, color, least, what, under = ground(el)) => {
      const [r, g, b, a] = parse(color);
      const value = ratio(over([r, g, b, a * opacity(el)], under), under);
      if (value < least) wrong.push(`${what} of ${say(el)}: ${value.toFixed(2)}:1`);
    };
    for (const el of texts()) judge(el, getComputedStyle(el).color, 4.5, "text");
    for (const el of all().filter((one) => one.matches("input, textarea, select"))) {
      const style = getComputedStyle(el);
      if (/checkbox|radio/.test(el.type)) continue;
      judge(el, style.color, 4.5, "text");
      if (el.placeholder) judge(el, getComputedStyle(el, "::placeholder").color, 4.5, "placeholder");
      judge(el, style.borderTopColor, 3, "border", ground(el.parentElement));
    }
    return [...new Set(wrong)];
  }

  // What is to be pressed and is smaller than 24 by 24 px. A link in a line is as high as it.
  function small() {
    const pressed = all().filter((el) => el.matches("a[href], button, input, select, textarea, summary"));
    return pressed.flatMap((el) => {
      const { width, height } = el.getBoundingClientRect();
      if (el.localName === "a" && getComputedStyle(el).display === "inline") return [];
      return width < 23.9 || height < 23.9 ? [`${say(el)} is ${width} by ${height} px`] : [];
    });
  }

  // Where the focus is, and what keeps it from being seen there; null at the end of the page.
  function focused() {
    const el = document.activeElement;
    window.pcnStops ??= new Set();
    if (!el || el === document.body || pcnStops.has(el)) return null;
    pcnStops.add(el);
    const wrong = [];
    const { outlineStyle, outlineWidth } = getComputedStyle(el);
    if (outlineStyle === "none" || parseFloat(outlineWidth) < 2) wrong.push(`${say(el)}: no outline`);
    let [top, bottom] = [0, innerHeight];
    for (const cover of document.querySelectorAll(".pcn-header, .pcn-bar")) {
      const box = cover.getBoundingClientRect();
      if (cover.contains(el) || !/sticky|fixed/.test(getComputedStyle(cover).position)) continue;
      if (box.top <= 1) top = Math.max(top, box.bottom);
      else if (box.bottom >= innerHeight - 1) bottom = Math.min(bottom, box.top);
    }
    const box = el.getBoundingClientRect();
    const shown = Math.min(bottom, box.bottom) - Math.max(top, box.top);
    // Of a long text, the browser brings the line with the caret.
    const least = el.localName === "textarea" ? 44 : (bottom - top) / 2;
    if (shown < Math.min(box.height, least) - 1 && !el.matches(".pcn-skip"))
      wrong.push(`${say(el)} at ${box.top} to ${box.bottom}, free is ${top} to ${bottom}`);
    if (box.right > innerWidth + 1 || box.left < -1) wrong.push(`${say(el)}: outside the window`);
    return { what: say(el), wrong };
  }

  // Parts that only their ground sets apart, where the system draws all grounds alike.
  function unbounded() {
    const parts = all().filter((el) => el.matches(".pcn-bar, .pcn-button, .pcn-card, .pcn-header"));
    const drawn = (style, side) =>
      style[`border${side}Style`] !== "none" && parseFloat(style[`border${side}Width`]) > 0;
    return parts
      .filter((el) => !["Top", "Bottom"].some((side) => drawn(getComputedStyle(el), side)))
      .map((el) => `${say(el)} has no border`);
  }

  // What is not to be on paper, and what is not there in full. The page was printed before.
  function onPaper() {
    const not = "header, nav, button, summary, .pcn-bar, .pcn-skip, textarea, input[type=text]";
    const wrong = [...document.querySelectorAll(not)]
      .filter((el) => el.checkVisibility())
      .map((el) => `${say(el)} is printed`);
    for (const el of document.querySelectorAll("textarea, input[type=text]")) {
      const paper = el.nextElementSibling;
      if (!paper?.matches(".pcn-print") || !paper.checkVisibility() || paper.textContent !== el.value)
        wrong.push(`${say(el)} is not printed in full`);
      else if (paper.scrollHeight > paper.clientHeight + 1 || paper.scrollWidth > paper.clientWidth + 1)
        wrong.push(`${say(el)} is cut`);
    }
    for (const el of document.querySelectorAll(".pcn-label:not(.pcn-panel *), .pcn-option label:not(.pcn-panel *)"))
      if (!el.checkVisibility()) wrong.push(`${say(el)} is not printed`);
    const { color } = getComputedStyle(document.body);
    if (color !== "rgb(29, 42, 47)") wrong.push(`ink is ${color}`);
    return wrong;
  }

  return { cutOff, faint, small, focused, unbounded, onPaper };
})();
