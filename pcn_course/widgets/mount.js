// What each widget's file exports as `render`: its styles and its page, in the element of a view.

/** @import { View, Widget } from "./types.d.ts" */

/** @param {Widget} widget @param {string} css */
export const mount = (widget, css) => (/** @type {View} */ view) => {
  const style = document.createElement("style");
  style.textContent = (view.look ?? "") + css; // pages of ours have the shared look already
  view.el.append(style);
  return widget.render(view);
};
