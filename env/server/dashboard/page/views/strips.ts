/** Strips of pictures: samples, labels, depth, predictions. */
import type { PictureStrip } from '../../answers.ts';
import { fill, h } from '../dom.ts';

/** Strips, one below the other, each picture with its words. */
export function strips(all: readonly PictureStrip[]): HTMLElement[] {
  return all.map(({ name, meaning, pictures, key }) =>
    h(
      'figure',
      { class: 'strip' },
      h('figcaption', {}, h('strong', {}, name), ` ${meaning}`),
      h(
        'div',
        { class: 'pictures', style: { '--count': String(pictures.length) } },
        pictures.map(({ png, width, height, caption }, i) =>
          h(
            'div',
            {},
            h('img', {
              ...{ src: `data:image/png;base64,${png}`, width, height },
              alt: `${name} ${i + 1}${caption === undefined ? '' : `: ${caption}`}`,
            }),
            caption !== undefined && h('span', { class: 'note' }, caption),
          ),
        ),
      ),
      key && h('ul', { class: 'key' }, key.map(keyEntry)),
    ),
  );
}

function keyEntry({ name, colour }: NonNullable<PictureStrip['key']>[number]): HTMLElement {
  const swatch = h('span', { class: 'swatch', style: { background: `rgb(${colour.map(Number).join(' ')})` } });
  return h('li', {}, swatch, name);
}

/** Shows pictures when they have come, or why they do not. */
export async function picturesOf(element: Element, ask: () => Promise<readonly PictureStrip[]>): Promise<void> {
  try {
    fill(element, strips(await ask()));
  } catch (error) {
    fill(element, h('p', { class: 'trouble' }, (error as Error).message));
  }
}
