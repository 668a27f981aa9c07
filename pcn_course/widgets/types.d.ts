// What the scripts share by name: anywidget's view of a model, what page and kernel say to each other,
// and who keeps a form's answers.

/** A message between page and kernel. The kernel's protocol (widgets/protocol.py) says which there are. */
export interface Message {
  type: string;
  client: string;
  seq?: number;
  [key: string]: any;
}

/** What anywidget gives a widget; page.js has the same. */
export interface Model {
  send(content: object): void;
  on(event: string, act: (message: any) => void): void;
  off(event: string, act: (message: any) => void): void;
}

export interface View {
  model: Model;
  el: HTMLElement;
  look?: string;
}

export interface Widget {
  render(view: View): () => void;
}

/** What a connection tells its page. */
export interface Listener {
  hear?(message: Message): void;
  cut?(): void;
  back?(): void;
  /** Answers are missing (for this reason), or all are there again. */
  late?(yes: boolean, why?: string): void;
}

/** An answer as a page may hold it: text, a number, keys, or rows. */
export type Value = string | number | null | undefined | Value[] | { [key: string]: Value };

export interface Prompt {
  key: string;
  kind: string;
  dropped?: boolean;
  columns?: Prompt[];
}

export interface Kept {
  value: Value;
  version: number;
}

/** An answer on its way, with the version that it was made from. */
export interface Edit {
  value: Value;
  base: number;
}

export interface Acknowledgement {
  seq: number;
  saved_at: string;
  versions: Record<string, number>;
  conflicts: Record<string, Kept & { base_value?: Value }>;
  invalid: Record<string, string>;
}

/** Who keeps a form's answers. It tells a `StoreListener` what became of each call. */
export interface Store {
  /** Names this page among all that use the same store. */
  readonly client: string;
  /** Ask for all that is kept, until `state` is told. */
  open(): void;
  /** Keep these answers. It may throw; only `acknowledge` means that they are kept. */
  save(seq: number, fields: Record<string, Edit>): void;
  /** Ask for the earlier versions of an answer: `history` is told. */
  history(key: string): void;
  /** Ask for something that is made of the answers: `answer` is told. */
  request(type: string, more?: object): void;
  close(): void;
}

export interface StoreListener {
  state(state: Message): void;
  acknowledge(message: Message & Acknowledgement): void;
  refused(message: Message & { seq: number; message: string }): void;
  history(message: Message): void;
  answer(message: Message): void;
  cut(): void;
  back(): void;
}

declare global {
  /** Put before loader.js by assets.py. */
  const PCN_FILE: string;
  const PCN_BROUGHT: string;
  interface Window {
    Plotly?: any;
  }
}
