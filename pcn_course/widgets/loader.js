// The module that anywidget wants of each widget (`_esm`). It fetches the widget's file from the page's
// server; where none of ours is (JupyterLab, stock Voilà), the kernel sends it. pcn_course/assets.py puts
// two constants before it: PCN_FILE, the file's name, and PCN_BROUGHT, a small file's whole content.
import { inflate } from "./inflate.js";

/** @import { Model, View } from "./types.d.ts" */
/** @typedef {{ render(view: View): () => void, look?: string }} Module */

const { pcnBase: base } = document.documentElement.dataset;

/** @returns {Promise<Module>} */
const fetched = () =>
  Promise.race([
    import(String(new URL(`${base}pcn/widgets/${PCN_FILE}`, location.href))),
    new Promise((_, refuse) => setTimeout(refuse, 60000, `${PCN_FILE} did not come`)),
  ]);

/** @param {Model} model @returns {Promise<string>} */
const sent = (model) =>
  new Promise((resolve) => {
    const client = crypto.getRandomValues(new Uint32Array(2)).join("-");
    const ask = () => model.send({ type: "code", client });
    const again = setInterval(ask, 4000);
    const hear = (/** @type {any} */ message) => {
      if (message?.client !== client) return;
      clearInterval(again);
      model.off("msg:custom", hear);
      resolve(message.packed);
    };
    model.on("msg:custom", hear);
    ask();
  });

/** @param {string} packed @returns {Promise<Module>} */
const unpacked = async (packed) => {
  const url = URL.createObjectURL(new Blob([await inflate(packed)], { type: "text/javascript" }));
  return import(url).finally(() => URL.revokeObjectURL(url));
};

/** @param {Model} model */
const begin = async (model) => {
  if (PCN_BROUGHT) return unpacked(PCN_BROUGHT);
  const ours = base == null ? null : await fetched().catch((error) => (console.warn(error), null));
  return ours ?? unpacked(await sent(model));
};

/** @type {Promise<Module> | undefined} */
let begun;
export default {
  render: async (/** @type {View} */ view) => {
    const { render, look } = await (begun ??= begin(view.model));
    return render({ ...view, look });
  },
};
