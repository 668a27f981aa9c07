// What each widget's file exports as `render`: its styles and its page, in the element of a view.

export const mount = (widget, css) => (view) => {
  const style = document.createElement("style");
  style.textContent = (view.look ?? "") + css; // pages of ours have the shared look already
  view.el.append(style);
  return widget.render(view);
};
