/** Elements of the page. Text goes into them as text alone, so that nothing from outside is ever read as HTML. */

type Child = Node | string | number | undefined | false | readonly Child[];

type Attributes = Readonly<
  Record<string, string | number | boolean | undefined | ((event: Event) => void) | Readonly<Record<string, string>>>
>;

/**
 * An element with attributes, listeners (functions, by the event's name) and children.
 *
 * `true` sets an attribute without a value; `false` and undefined leave it out. `style` is a map of properties, set one by
 * one: the page's policy allows no style in attributes.
 */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  return build(document.createElement(tag), attributes, children);
}

/** The same of SVG. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  return build(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function build<E extends HTMLElement | SVGElement>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (typeof value === 'object') {
      for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
    } else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  append(element, children);
  return element;
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === undefined || child === false) continue;
    if (child instanceof Node) element.append(child);
    else if (typeof child === 'string' || typeof child === 'number') element.append(String(child));
    else append(element, child);
  }
}

/** Puts other children in the place of an element's own. */
export function fill(element: Element, ...children: readonly Child[]): void {
  element.replaceChildren();
  append(element, children);
}

/** Sets a text, where it is another one. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A part of a view with a heading of its own. */
export function card(
  title: string,
  { class: kind = '', ...attributes }: Attributes & { readonly class?: string },
  ...children: readonly Child[]
): HTMLElement {
  return h('section', { 'aria-label': title, ...attributes, class: `card ${kind}` }, h('h2', {}, title), ...children);
}

/** A button that copies a text, and says so. */
export function copyButton(label: string, text: () => string): HTMLButtonElement {
  const button: HTMLButtonElement = h(
    'button',
    {
      type: 'button',
      click: () => {
        copy(text()).then(
          () => flash('copied'),
          () => flash('could not be copied'),
        );
      },
    },
    label,
  );
  const flash = (word: string) => {
    say(button, word);
    setTimeout(() => say(button, label), 1500);
  };
  button.setAttribute('aria-live', 'polite');
  return button;
}

/** Copies a text. A page that is not of this machine, and has no TLS, may only copy what is selected. */
async function copy(text: string): Promise<void> {
  const { clipboard } = navigator as { clipboard?: Clipboard };
  if (clipboard) return clipboard.writeText(text);
  const area = h('textarea', { class: 'unseen', 'aria-hidden': 'true' });
  area.value = text;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  if (!isCopied) throw new Error('the browser does not copy');
}

let lastId = 0;

/** An id that no other element has. */
export const newId = () => `e${++lastId}`;

/** A labelled choice among some values. */
export function choice<V extends string>(
  label: string,
  values: readonly (readonly [value: V, text: string])[],
  chosen: V,
  onChoice: (value: V) => void,
): HTMLLabelElement {
  const select = h(
    'select',
    { change: () => onChoice(select.value as V) },
    values.map(([value, text]) => h('option', { value, selected: value === chosen }, text)),
  );
  return h('label', { class: 'field' }, h('span', {}, label), select);
}
