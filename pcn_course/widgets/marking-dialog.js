// One dialog, whose content changes; focus goes back to where it came from.
import { button, h } from "./controls.js";

export function makeDialogs(root, client) {
  let [box, from] = [null, null];

  function show(title, ...content) {
    if (!box) {
      box = h("dialog", { class: "pcn-dialog pcn-mark-dialog", "aria-labelledby": client + "-dialog" });
      box.addEventListener("close", () => {
        box.replaceChildren();
        if (from?.isConnected) from.focus({ preventScroll: true });
      });
      root.append(box);
    }
    const head = h("h2", { id: client + "-dialog", tabindex: "-1" }, title);
    box.replaceChildren(h("div", { class: "pcn-head" }, head, quietClose()), ...content.flat().filter(Boolean));
    if (!box.open) {
      from = document.activeElement;
      box.showModal();
    }
    (box.querySelector("[autofocus]") ?? head).focus();
    return box;
  }

  const quietClose = () => button("Close", close, "pcn-quiet");

  // `to`: where the focus goes instead.
  function close(to) {
    if (to instanceof HTMLElement) from = to;
    box?.close();
  }

  return {
    show,
    close,
    get open() {
      return Boolean(box?.open);
    },
  };
}

export const actions = (...buttons) => h("p", { class: "pcn-actions" }, buttons);

// A label with its control below; `make(id)` makes the control.
export function labelled(id, text, control, help) {
  control.id = id;
  if (help) control.setAttribute("aria-describedby", id + "-help");
  return h(
    "div",
    { class: "pcn-asked" },
    h("label", { for: id }, text),
    control,
    help && h("p", { class: "pcn-help", id: id + "-help" }, help),
  );
}

// Give the reader a file whose content came as base64.
export function download({ filename, mime, data }) {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const href = URL.createObjectURL(new Blob([bytes], { type: mime }));
  h("a", { href, download: filename }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}
